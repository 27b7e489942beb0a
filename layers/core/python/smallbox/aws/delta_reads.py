"""Reads rows of Delta tables: by range, by keys, since a commit, and in slices."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable

from smallbox.ports import Between


def filter_of(between: Between | None) -> Any:
    """The range as an Arrow filter expression; ``None`` without a range."""
    if between is None:
        return None
    column = pc.field(between.column)
    return (column >= between.start) & (column < between.end)


def among(batches: Iterator[pa.RecordBatch], keys: pa.Array, key: str) -> Iterator[pa.RecordBatch]:
    """The rows whose column ``key`` is among ``keys``.

    It filters batch by batch, so that memory holds only matching rows. A filter on the data set does not work: a merge
    writes texts with another Arrow type, which Arrow cannot compare with ordinary texts.
    """
    for batch in batches:
        yield batch.filter(pc.is_in(batch[key], value_set=keys))


class NoLongerKeptError(Exception):
    """The commits since a version do not say any more which rows were appended."""


def appended(opened: DeltaTable, after: int) -> Iterator[pa.RecordBatch]:
    """The rows that the commits after a version appended; compactions append nothing.

    Raises:
        NoLongerKeptError: when commits or files are gone, or rows were deleted since: an appended row may be one of
            them, and only the table itself tells which are left.
    """
    try:
        is_deleted = any(commit.get("operation") == "DELETE" for commit in opened.history(opened.version() - after))
        found = () if is_deleted else pa.RecordBatchReader.from_stream(opened.load_cdf(starting_version=after + 1))
        yield from found
    except Exception as error:  # a file that is gone is no DeltaError here, nor anything more precise
        raise NoLongerKeptError from error
    if is_deleted:
        raise NoLongerKeptError


def gathered(batches: Iterator[pa.RecordBatch], rows: int) -> Iterator[list[pa.RecordBatch]]:
    """Group batches into lists of at least this many rows; the last list may have fewer, but is never empty."""
    held: list[pa.RecordBatch] = []
    for batch in batches:
        held += [batch] if batch.num_rows else []
        if sum(one.num_rows for one in held) >= rows:
            yield held
            held = []
    if held:
        yield held
