"""States that a process has read a moment ago, so that an entity that is asked for often is read once a moment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from smallbox.ports import StateKey, StateReader, StoredState
from smallbox.times import SECOND, Micros

STALENESS: Final[Micros] = SECOND
"""A state is never older than this, counted from before it was read."""

ROOM: Final = 64 << 20
"""How many bytes the states of a process may take."""

_ENTRY_BYTES: Final = 512
"""What an entry takes beside its state, an absent one's too."""


@dataclass(frozen=True, slots=True)
class _Entry:
    read_at: Micros
    state: StoredState | None

    @property
    def bytes(self) -> int:
        return _ENTRY_BYTES + (len(self.state.packed) if self.state else 0)


class RecentStates:
    """Remembers what a store answered, entities that it does not know among them.

    A remembered state is dropped when it has become stale; where room is short, the one that was read longest ago
    goes first: it is the next to become stale, however often it is used.

    Args:
        store: what is read.
        staleness: for how long a state counts as the store's; 0 reads the store each time.
        room: how many bytes all remembered states may take.
    """

    def __init__(self, store: StateReader, staleness: Micros = STALENESS, room: int = ROOM) -> None:
        self._store = store
        self._staleness = staleness
        self._room = room
        self._entries: dict[StateKey, _Entry] = {}  # in the order in which they were read
        self._taken = 0

    def at(self, now: Micros) -> StateReader:
        """The store at the present, ``now`` or a little later: no state was read before ``now - staleness``."""
        return _At(self, now)

    def read(self, keys: Sequence[StateKey], now: Micros) -> Mapping[StateKey, StoredState]:
        """The states that are stored, remembered or read now."""
        self._drop_stale(now)
        known = {key: self._entries[key].state for key in keys if key in self._entries}
        unknown = [key for key in dict.fromkeys(keys) if key not in known]
        found = self._store.read(unknown) if unknown else {}
        for key in unknown:
            self._remember(key, _Entry(now, found.get(key)))
        return {key: state for key, state in known.items() if state is not None} | dict(found)

    def _remember(self, key: StateKey, entry: _Entry) -> None:
        self._entries[key] = entry
        self._taken += entry.bytes
        while self._taken > self._room:
            self._drop_oldest()

    def _drop_stale(self, now: Micros) -> None:
        while self._entries and not self._is_fresh(next(iter(self._entries.values())), now):
            self._drop_oldest()

    def _is_fresh(self, entry: _Entry, now: Micros) -> bool:
        """One of the future is not: the clock was set back since, and nobody knows how old it is."""
        return entry.read_at <= now < entry.read_at + self._staleness

    def _drop_oldest(self) -> None:
        self._taken -= self._entries.pop(next(iter(self._entries))).bytes


@dataclass(frozen=True, slots=True)
class _At:
    recent: RecentStates
    now: Micros

    def read(self, keys: Sequence[StateKey]) -> Mapping[StateKey, StoredState]:
        return self.recent.read(keys, self.now)
