"""A cache of online states with a short TTL: a hot entity is read from the store once per TTL and process."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from smallbox.ports import StateKey, StateReader, StoredState
from smallbox.times import SECOND, Micros

STALENESS: Final[Micros] = SECOND
"""The TTL, counted from before the read: no returned state is older."""

CAPACITY_BYTES: Final = 64 << 20
"""The capacity of the cache in bytes."""

_ENTRY_BYTES: Final = 512
"""The overhead of an entry, also of one for an absent state."""


@dataclass(frozen=True, slots=True)
class _Entry:
    read_at: Micros
    state: StoredState | None

    @property
    def bytes(self) -> int:
        return _ENTRY_BYTES + (len(self.state.packed) if self.state else 0)


class StateCache:
    """Caches answers of a store, also "no such state" (negative caching).

    Entries are evicted when they are older than the TTL. Over capacity, the entry that was read first is evicted first
    (FIFO): it expires next, however often it is used.

    Attributes:
        asked: how many states were asked for.
        remembered: how many of them came from the cache.

    Args:
        store: the store to read.
        staleness: the longest TTL that a reader asks for, microseconds.
        capacity: the capacity in bytes.
    """

    def __init__(self, store: StateReader, staleness: Micros = STALENESS, capacity: int = CAPACITY_BYTES) -> None:
        self._store = store
        self._staleness = staleness
        self._capacity = capacity
        self._entries: dict[StateKey, _Entry] = {}  # in the order in which they were read
        self._taken = 0

        self.asked = self.remembered = 0

    def at(self, now: Micros, staleness: Micros | None = None) -> StateReader:
        """A reader of the store through the cache; no state it returns was read before ``now - staleness``.

        Args:
            now: the present.
            staleness: microseconds; by default that of the cache. 0 reads the store each time.
        """
        return _At(self, now, self._staleness if staleness is None else staleness)

    def read(
        self, keys: Sequence[StateKey], now: Micros, staleness: Micros, within: Micros | None = None
    ) -> Mapping[StateKey, StoredState]:
        """The stored states, from the cache or else from the store."""
        self._staleness = max(staleness, self._staleness)
        self._drop_stale(now)
        wanted = list(dict.fromkeys(keys))
        fresh = [key for key in wanted if key in self._entries and _is_fresh(self._entries[key], now, staleness)]
        known = {key: self._entries[key].state for key in fresh}
        unknown = [key for key in wanted if key not in known]
        self.asked += len(wanted)
        self.remembered += len(known)
        found = self._store.read(unknown, within) if unknown else {}
        for key in unknown:
            self._remember(key, _Entry(now, found.get(key)))
        return {key: state for key, state in known.items() if state is not None} | dict(found)

    def _remember(self, key: StateKey, entry: _Entry) -> None:
        before = self._entries.pop(key, None)
        self._taken -= before.bytes if before else 0
        self._entries[key] = entry
        self._taken += entry.bytes
        while self._taken > self._capacity:
            self._drop_oldest()

    def _drop_stale(self, now: Micros) -> None:
        while self._entries and not _is_fresh(next(iter(self._entries.values())), now, self._staleness):
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        self._taken -= self._entries.pop(next(iter(self._entries))).bytes


def _is_fresh(entry: _Entry, now: Micros, staleness: Micros) -> bool:
    """Whether the entry is within its TTL. An entry from the future is not: the clock was set back."""
    return entry.read_at <= now < entry.read_at + staleness


@dataclass(frozen=True, slots=True)
class _At:
    recent: StateCache
    now: Micros
    staleness: Micros

    def read(self, keys: Sequence[StateKey], within: Micros | None = None) -> Mapping[StateKey, StoredState]:
        return self.recent.read(keys, self.now, self.staleness, within)
