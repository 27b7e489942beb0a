"""Batch reads of the online store, and its limits."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final, TypeVar

from smallbox.ports import OnlineStore, StateKey, StoredState

TRANSACTION_ITEMS: Final = 100
"""The maximum number of items in a transaction or a batch read."""

TRANSACTION_BYTES: Final = 3_000_000
"""The maximum size of the states in a transaction; DynamoDB's limit of 4 MB also covers keys and the added records."""

Item = TypeVar("Item")


def read_states(store: OnlineStore, keys: Iterable[StateKey]) -> dict[StateKey, StoredState]:
    """Read any number of states, in batches; keys without a state are left out."""
    return {key: state for some in chunks(dict.fromkeys(keys)) for key, state in store.read(some).items()}


def read_markers(store: OnlineStore, ids: Iterable[str]) -> dict[str, str]:
    """Read the content hashes of any number of markers, in batches; ids without a marker are left out."""
    return {id_: digest for some in chunks(dict.fromkeys(ids)) for id_, digest in store.markers(some).items()}


def chunks(items: Iterable[Item], size: int = TRANSACTION_ITEMS) -> Iterator[list[Item]]:
    """Split the items into lists of at most ``size``."""
    rest = iter(items)
    while some := list(islice(rest, size)):
        yield some
