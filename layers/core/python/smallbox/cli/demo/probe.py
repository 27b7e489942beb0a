"""A probe: asks for one prediction after another in the background, and remembers who answered when."""

import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

from smallbox.cli.system import System
from smallbox.errors import InvalidInput, SmallboxError

_PAUSE: Final = 0.5
"""Seconds between two requests."""

_CUT_OFF: Final = 502


@dataclass(frozen=True, slots=True)
class ProbeAnswer:
    """One answer.

    Attributes:
        at: when it came, in seconds since the probe began.
        seconds: how long it took.
        arm: ``champion``, ``challenger`` or ``fallback``; the error's message when there was none.
        version: the version that answered; 0 for the fallback, -1 without an answer.
    """

    at: float
    seconds: float
    arm: str
    version: int


@dataclass
class Probe:
    """Asks in a thread of its own for as long as the block lasts.

    Attributes:
        system: the running system.
        model: the model that is asked.
        lines: the instances, each a JSON text; asked in turn.
        as_of: the simulated time.
        answers: what came back.
        cut_off: requests that were sent again: to replace a function's code the emulator stops its process, also while
            it answers. AWS lets it finish.
    """

    system: System
    model: str
    lines: Sequence[str]
    as_of: str
    answers: list[ProbeAnswer] = field(default_factory=list)
    cut_off: int = 0
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _began: float = 0.0

    def __enter__(self) -> Self:
        self._began = time.monotonic()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._over.is_set():
            self.answers.append(self._ask(self.lines[len(self.answers) % len(self.lines)]))
            self._over.wait(_PAUSE)

    def _ask(self, line: str) -> ProbeAnswer:
        began = time.monotonic()
        try:
            answer = self._answer(line)
        except SmallboxError as error:
            return ProbeAnswer(began - self._began, time.monotonic() - began, error.message, -1)
        return ProbeAnswer(began - self._began, time.monotonic() - began, answer["arm"], answer["version"])

    def _answer(self, line: str) -> Mapping[str, Any]:
        """One answer; a request that the emulator cut off is sent again, as any client would."""
        try:
            (answer,) = self.system.predict(self.model, [line], self.as_of)
        except InvalidInput as error:
            if error.details.get("status") != _CUT_OFF:
                raise
            self.cut_off += 1
            (answer,) = self.system.predict(self.model, [line], self.as_of)
        return answer

    @property
    def by_version(self) -> Counter[int]:
        """How many answers each version gave."""
        return Counter(answer.version for answer in self.answers)

    @property
    def failures(self) -> list[ProbeAnswer]:
        """Requests without an answer, or answered by the fallback."""
        return [answer for answer in self.answers if answer.version < 1]

    @property
    def slowest(self) -> float:
        """The longest that an answer took, in seconds."""
        return max((answer.seconds for answer in self.answers), default=0.0)

    def first_of(self, version: int) -> float | None:
        """When a version answered for the first time, in seconds since the probe began."""
        return next((answer.at for answer in self.answers if answer.version == version), None)
