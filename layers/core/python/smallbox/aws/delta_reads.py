"""Reads rows of Delta tables: by range, by keys, since a commit, and in slices."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable
from pyarrow.dataset import Dataset

from smallbox.lake.text_sets import TextSet
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
    wanted = TextSet(keys)
    for batch in batches:
        yield batch.filter(wanted.holds(batch[key]))


def extended(schema: pa.Schema, newer: pa.Schema | None) -> pa.Schema:
    """A schema with the columns of another one that it does not have."""
    return pa.schema([*schema, *(field for field in newer or () if field.name not in schema.names)])


def completed(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """The rows with the columns of a schema, in its order; a column that they lack is null."""
    for field in schema:
        if field.name not in rows.column_names:
            rows = rows.append_column(field, pa.nulls(rows.num_rows, field.type))
    return rows.select(schema.names)


def rows_of(
    data: Dataset,
    columns: Sequence[str] | None,
    between: Between | None,
    keys: pa.ChunkedArray | None,
    *,
    key: str,
    newer: pa.Schema | None,
) -> pa.Table:
    """The rows of a table, as :meth:`~smallbox.ports.Lake.read` gives them."""
    wanted = wanted_of(data.schema, columns, newer)
    limits = ([] if between is None else [between.column]) + ([] if keys is None else [key])
    if not set(limits) <= set(data.schema.names):  # a missing column is null: in no range, and none of the keys
        return wanted.empty_table()
    there = pa.schema([field for field in wanted if field.name in data.schema.names])
    if keys is None:
        return completed(data.to_table(columns=there.names, filter=filter_of(between)), wanted)
    found = among(streamed(data, there.names, between), keys.combine_chunks(), key)
    return completed(pa.Table.from_batches(found, schema=there), wanted)


def wanted_of(known: pa.Schema, columns: Sequence[str] | None, newer: pa.Schema | None) -> pa.Schema:
    """The columns to read of a table: all of them, or those that are named."""
    every = extended(known, newer)
    return every if columns is None else pa.schema([every.field(name) for name in columns])


def streamed(data: Dataset, columns: Sequence[str], between: Between | None) -> Iterator[pa.RecordBatch]:
    """The rows batch by batch; few are read ahead, which would else hold a whole table of few large files."""
    if between is not None and between.column not in data.schema.names:
        return iter(())
    found: Iterator[pa.RecordBatch] = data.to_batches(
        columns=list(columns), filter=filter_of(between), batch_readahead=4, fragment_readahead=2
    )
    return found


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


def slices_of(
    opened: DeltaTable,
    after: int,
    between: Between | None,
    columns: Sequence[str] | None,
    newer: pa.Schema | None,
    rows: int,
) -> Iterator[pa.Table]:
    """The rows of a table in slices of at least this many, as :meth:`~smallbox.ports.Lake.slices` gives them."""
    known = pa.schema(opened.schema().to_arrow())
    wanted = wanted_of(known, columns, newer)
    if after >= 0:
        with suppress(NoLongerKeptError):
            yield from _cut(appended(opened, after), wanted, rows)
            return
    there = [name for name in wanted.names if name in known.names]
    yield from _cut(streamed(opened.to_pyarrow_dataset(), there, between), wanted, rows)


def _cut(batches: Iterator[pa.RecordBatch], schema: pa.Schema, rows: int) -> Iterator[pa.Table]:
    for some in gathered(batches, rows):
        yield completed(pa.Table.from_batches(some), schema).cast(schema)
