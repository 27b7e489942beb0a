"""Batches of conditional state writes."""

from collections.abc import Iterator, Sequence

from smallbox.errors import Conflict
from smallbox.features.online.reads import TRANSACTION_BYTES, TRANSACTION_ITEMS
from smallbox.ports import OnlineStore, StateKey, StateWrite


def write_states(store: OnlineStore, writes: Sequence[StateWrite]) -> list[StateKey]:
    """Write states conditionally; return the keys that lost against a concurrent write and stay unchanged."""
    return [key for together in _transactions(writes) for key in _contended(store, together)]


def _contended(store: OnlineStore, writes: Sequence[StateWrite]) -> list[StateKey]:
    """Write all states in one transaction; if one has a conflict, write each alone."""
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
