"""Workers that take turns: each stops before every access to a port, until a test lets it go on or kills it."""

from collections.abc import Callable
from threading import Semaphore, Thread, local
from typing import Any, Final

_HERE: Final = local()


class KilledError(BaseException):
    """The process is gone: nothing that runs in it can catch this."""


class Actor:
    """Runs work in a thread of its own, one access at a time.

    Attributes:
        at: the access that it is about to make, like ``lake.read``; ``start`` before the first.
        is_done: whether the work has ended, well or not.
        error: why it failed, if it did.
    """

    def __init__(self, work: Callable[[], object]) -> None:
        self.at = "start"
        self.is_done = self.is_killed = False
        self.error: Exception | None = None
        self.result: Any = None
        self._go, self._back = Semaphore(0), Semaphore(0)
        Thread(target=self._run, args=(work,), daemon=True).start()

    def _run(self, work: Callable[[], object]) -> None:
        self._go.acquire()
        _HERE.actor = self
        try:
            if not self.is_killed:
                self.result = work()
        except KilledError:
            pass
        except Exception as error:  # noqa: BLE001 - the test sees it
            self.error = error
        self.is_done = True
        self._back.release()

    def stop_before(self, access: str) -> None:
        """Called by the work: wait for the next turn."""
        self.at = access
        self._back.release()
        self._go.acquire()
        if self.is_killed:
            raise KilledError

    def step(self) -> None:
        """Let it make the access that it stopped before, and stop it before the next."""
        assert not self.is_done
        self._go.release()
        self._back.acquire()

    def until(self, access: str, times: int = 1) -> "Actor":
        """Let it go on until it is about to make an access, for the given time."""
        for _ in range(times):
            self.step()
            while self.at != access and not self.is_done:
                self.step()
            assert not self.is_done, f"it never came to {access}: {self.error!r}"
        return self

    def finish(self) -> "Actor":
        """Let it go on to its end."""
        while not self.is_done:
            self.step()
        return self

    def kill(self) -> None:
        """It dies before the access that it stopped before."""
        self.is_killed = True
        self.step()


class Gated:
    """A port at which actors stop before each call; whoever is no actor passes."""

    def __init__(self, name: str, port: object) -> None:
        self._name = name
        self._port = port

    def __getattr__(self, method: str) -> Any:
        call = getattr(self._port, method)

        def gated(*arguments: Any, **named: Any) -> Any:
            actor: Actor | None = getattr(_HERE, "actor", None)
            if actor is not None:
                actor.stop_before(f"{self._name}.{method}")
            return call(*arguments, **named)

        return gated
