"""Versions of records: the history of each key, and the version that was valid at a moment."""

from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.arrays import Ints
from smallbox.lake.text_sets import text_hashes
from smallbox.times import Micros

FOREVER: Final = int(np.iinfo(np.int64).max)
"""``superseded_at`` of a version that no other has superseded."""


def history(table: pa.Table) -> pa.Table:
    """Every version of every key once, with ``superseded_at``: the ``known_at`` of the key's next version.

    The versions of a key are ordered by (``known_at``, ``received_at``, ``digest``). A version that was sent again
    (equal key, ``known_at`` and digest) keeps its first place: repeating a record changes nothing.
    """
    often, keys = _repeated(table["key"])
    if not len(keys):
        return table.append_column("superseded_at", pa.array(np.full(len(table), FOREVER, np.int64)))
    once = table.filter(pa.array(~often))
    rest, superseded_at = _versions(table.filter(pa.array(often)), keys)
    ends = np.concatenate((np.full(len(once), FOREVER, np.int64), superseded_at))
    return pa.concat_tables([once, rest]).append_column("superseded_at", pa.array(ends))


def valid_at(table: pa.Table, as_of: Micros) -> pa.Table:
    """One row per key: the version that was valid at ``as_of``; keys that were not known by then are left out."""
    known = history(table.filter(pc.less_equal(table["known_at"], as_of)))
    return known.filter(pc.equal(known["superseded_at"], FOREVER)).drop_columns(["superseded_at"])


def valid_or_first_at(table: pa.Table, as_of: Micros) -> pa.Table:
    """One row per key: the version that was valid at ``as_of``, or the first version when none was known by then."""
    versions = history(table)
    # history() puts the versions of a key together, in order
    is_first = _changes((_codes(versions["key"]),))
    starts = pc.less_equal(versions["known_at"], as_of)
    counts = pc.and_(pc.or_(pa.array(is_first), starts), pc.greater(versions["superseded_at"], as_of))
    return versions.filter(counts).drop_columns(["superseded_at"])


def _versions(table: pa.Table, keys: Ints) -> tuple[pa.Table, Ints]:
    known_at, received_at = table["known_at"].to_numpy(), table["received_at"].to_numpy()
    said = _digest_words(table["digest"])
    order = np.lexsort((received_at, *said, known_at, keys))
    alike = (keys, known_at, *said)
    first = order[_changes(tuple(column[order] for column in alike))]
    chosen = first[np.lexsort(tuple(c[first] for c in (*said, received_at, known_at, keys)))]
    ordered, ends = keys[chosen], np.full(len(chosen), FOREVER, np.int64)
    has_next = np.flatnonzero(ordered[1:] == ordered[:-1])
    ends[has_next] = known_at[chosen][has_next + 1]
    return table.take(pa.array(chosen)), ends


def _changes(columns: tuple[npt.NDArray[np.generic], ...]) -> npt.NDArray[np.bool_]:
    """Whether each row differs from the one before it."""
    changes = np.ones(len(columns[0]), bool)
    if len(changes):
        changes[1:] = np.logical_or.reduce([column[1:] != column[:-1] for column in columns])
    return changes


def _repeated(column: pa.ChunkedArray) -> tuple[npt.NDArray[np.bool_], Ints]:
    """Which rows have a key that occurs more than once, and the keys of those rows as numbers.

    Equal keys have equal hashes, so only rows that share a hash are compared as texts.
    """
    hashes = text_hashes(column.combine_chunks())
    ordered = np.sort(hashes)
    shared = ordered[1:][ordered[1:] == ordered[:-1]]
    often = np.isin(hashes, shared) if len(shared) else np.zeros(len(hashes), bool)
    keys = _codes(column.filter(pa.array(often)))
    exact = np.bincount(keys, minlength=1)[keys] > 1
    often[often] = exact
    return often, keys[exact]


def _codes(column: pa.ChunkedArray) -> Ints:
    encoded = column.combine_chunks().dictionary_encode()
    return np.asarray(encoded.indices, dtype=np.int64)


def _digest_words(column: pa.ChunkedArray) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    """Digests as (low, high) words, which order as their text does and compare a hundred times faster."""
    words = np.frombuffer(bytes.fromhex("".join(column.to_pylist())), ">u8").reshape(-1, 2)
    return words[:, 1].astype(np.uint64), words[:, 0].astype(np.uint64)
