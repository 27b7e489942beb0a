"""Proves what is remembered of the online store, for how long, and how much of it."""

from collections.abc import Mapping, Sequence

from hypothesis import given
from hypothesis import strategies as st

from smallbox.features.online.recent import StateCache
from smallbox.ports import StateKey, StateWrite, StoredState
from smallbox.times import Micros
from tests.fakes.online import FakeOnlineStore

A, B, C = (StateKey("view", name) for name in "abc")


class CountingStore(FakeOnlineStore):
    """Counts what is read of it."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[StateKey] = []

    def read(self, keys: Sequence[StateKey], within: Micros | None = None) -> Mapping[StateKey, StoredState]:
        self.asked += keys
        return super().read(keys, within)

    def write(self, key: StateKey, packed: bytes) -> None:
        """The next version of a state."""
        version = self.states[key].version if key in self.states else 0
        self.commit([], [StateWrite(key, packed, version)])


def test_an_entity_is_read_once_a_moment() -> None:
    """Stored or absent, an entity is asked of the store once, and beside others only where it is not remembered."""
    store = CountingStore()
    store.write(A, b"1")
    recent = StateCache(store, staleness=10)
    for now in (0, 5, 9):
        assert set(recent.at(now).read([A, B, A])) == {A}
    assert store.asked == [A, B]
    recent.at(9).read([A, C, B])
    assert store.asked == [A, B, C]
    recent.at(10).read([A, B, C])
    assert store.asked == [A, B, C, A, B]


def test_zero_reads_the_store_each_time() -> None:
    """A staleness of 0 remembers nothing from one reading to the next."""
    store = CountingStore()
    recent = StateCache(store, staleness=0)
    recent.at(5).read([A])
    recent.at(5).read([A])
    assert store.asked == [A, A]


writes = st.tuples(st.sampled_from([A, B, C]), st.binary(max_size=600))
steps = st.lists(st.tuples(st.integers(-3, 8), st.none() | writes, st.sets(st.sampled_from([A, B, C]))), max_size=40)


@given(steps, st.integers(0, 12), st.integers(0, 3000))
def test_no_state_is_staler_than_stated(
    moves: list[tuple[int, tuple[StateKey, bytes] | None, set[StateKey]]], staleness: int, room: int
) -> None:
    """Each answer was the store's no longer ago than the staleness, by a clock that may be set back, in any room."""
    store, now = CountingStore(), 100
    recent = StateCache(store, staleness, room)
    truths: list[tuple[int, dict[StateKey, StoredState]]] = [(now, {})]
    for passed, written, asked in moves:
        now += passed
        truths.append((now, dict(store.states)))
        if written:
            store.write(*written)
        truths.append((now, dict(store.states)))
        answer = recent.at(now).read(sorted(asked, key=str))
        for key in asked:
            could_be = [truth.get(key) for at, truth in truths if now - staleness <= at <= now]
            assert answer.get(key) in could_be
        assert recent._taken <= room
        assert recent._taken == sum(entry.bytes for entry in recent._entries.values())
