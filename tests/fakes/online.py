"""An online store in memory, with the conditions and limits of the real one, that can crash on demand."""

from collections.abc import Callable, Mapping, Sequence

from smallbox.errors import Conflict, Unavailable
from smallbox.features.online.markers import CLAIMED
from smallbox.ports import Marker, StateKey, StateWrite, StoredState
from smallbox.times import Micros

TRANSACTION_LIMIT = 100
ITEM_BYTES = 400_000


class Crash(Exception):
    """The process died here; not an error of Smallbox."""


class FakeOnlineStore:
    """The ``OnlineStore`` port over two dicts."""

    def __init__(self) -> None:
        self.states: dict[StateKey, StoredState] = {}
        self.marked: dict[str, Marker] = {}
        self.commits = 0
        self.meanwhile: list[Callable[[], object]] = []
        """What others do, one before each of the next commits."""
        self._interrupted = False
        self._writes_left: int | None = None

    def crash_after(self, writes: int | None) -> None:
        """Let that many more writes pass, then raise ``Crash`` at each; ``None`` lets all pass again."""
        self._writes_left = writes

    def read(self, keys: Sequence[StateKey], within: Micros | None = None) -> Mapping[StateKey, StoredState]:
        return {key: self.states[key] for key in keys if key in self.states}

    def markers(self, ids: Sequence[str]) -> Mapping[str, str]:
        return {identity: self.marked[identity].digest for identity in ids if identity in self.marked}

    def commit(self, markers: Sequence[Marker], states: Sequence[StateWrite]) -> None:
        if self.meanwhile and not self._interrupted:
            self._interrupted = True
            try:
                self.meanwhile.pop(0)()
            finally:
                self._interrupted = False
        self._count_down()
        assert 0 < len(markers) + len(states) <= TRANSACTION_LIMIT, "a transaction has 1 to 100 items"
        if any(len(state.packed) > ITEM_BYTES for state in states):
            raise Unavailable("an item is too large")
        names = [marker.id for marker in markers] + [state.key for state in states]
        assert len(set(names)) == len(names), "a transaction may not write an item twice"
        stale = [s for s in states if (self.states[s.key].version if s.key in self.states else 0) != s.expected]
        if stale or any(marker.id in self.marked for marker in markers):
            raise Conflict("somebody else wrote first")
        self.marked |= {marker.id: marker for marker in markers}
        self.states |= {s.key: StoredState(s.packed, s.expected + 1) for s in states}
        self.commits += 1

    def mark(self, markers: Sequence[Marker]) -> None:
        self._count_down()
        self.marked |= {marker.id: marker for marker in markers}

    def expire(self, now: int) -> None:
        """Delete the markers that may go."""
        self.marked = {identity: m for identity, m in self.marked.items() if m.expires_at > now}

    def _count_down(self) -> None:
        if self._writes_left is None:
            return
        if self._writes_left == 0:
            raise Crash
        self._writes_left -= 1


class AppliedRecords(FakeOnlineStore):
    """A store whose states count every record."""

    def markers(self, ids: Sequence[str]) -> Mapping[str, str]:
        return dict.fromkeys(ids, CLAIMED)
