"""States written many at a time, each on its own condition."""

from collections.abc import Iterator, Sequence

from smallbox.errors import Conflict
from smallbox.features.online.apply import TRANSACTION_BYTES, TRANSACTION_ITEMS
from smallbox.ports import OnlineStore, StateKey, StateWrite


def write_states(store: OnlineStore, writes: Sequence[StateWrite]) -> list[StateKey]:
    """Write states; the keys of those that somebody else has written since they were read, which stay as they are."""
    return [key for together in _transactions(writes) for key in _contended(store, together)]


def _contended(store: OnlineStore, writes: Sequence[StateWrite]) -> list[StateKey]:
    """Write all in one step, or each by itself where one of them is contended."""
    try:
        store.commit([], writes)
    except Conflict:
        if len(writes) == 1:
            return [writes[0].key]
        return [key for write in writes for key in _contended(store, [write])]
    return []


def _transactions(writes: Sequence[StateWrite]) -> Iterator[list[StateWrite]]:
    together: list[StateWrite] = []
    size = 0
    for write in writes:
        if together and (len(together) == TRANSACTION_ITEMS or size + len(write.packed) > TRANSACTION_BYTES):
            yield together
            together, size = [], 0
        together.append(write)
        size += len(write.packed)
    if together:
        yield together
