"""Parquet files: reads tables of a fixed number of rows, and converts values that JSON cannot express."""

import shutil
import tempfile
from collections.abc import Iterator
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from smallbox.ingestion.lines import check_names

_SPOOLED: Final = 32_000_000
_BUFFERED: Final = 1_000_000


def tables(content: Any, rows: int) -> Iterator[pa.Table]:
    """Read a Parquet file in tables of exactly this many rows; the last one has the rest.

    Raises:
        MalformedBody: when two columns have the same name.
    """
    if content.seekable():
        yield from _tables(content, rows)
        return
    with tempfile.SpooledTemporaryFile(_SPOOLED) as seekable:
        shutil.copyfileobj(content, seekable)
        seekable.seek(0)
        yield from _tables(seekable, rows)


def _tables(content: Any, rows: int) -> Iterator[pa.Table]:
    held: pa.Table | None = None
    # with pyarrow's default, memory grows by every row group that was read; without a buffer, it holds one whole
    file = pq.ParquetFile(content, pre_buffer=False, buffer_size=_BUFFERED)
    check_names(file.schema_arrow.names)
    for batch in file.iter_batches(rows):
        table = pa.Table.from_batches([batch])
        held = table if held is None else pa.concat_tables([held, table])
        while len(held) >= rows:
            yield held.slice(0, rows)
            held = held.slice(rows)
    if held is not None and len(held):
        yield held


def is_valid_utf8(table: pa.Table) -> bool:
    """Whether all texts are valid UTF-8, which Parquet does not check; converting invalid ones to objects raises."""
    try:
        table.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def plain_column(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Convert values that JSON cannot express: NaN becomes null, nanoseconds microseconds, decimals float64."""
    if pa.types.is_floating(column.type):
        return pc.if_else(pc.is_nan(column), None, column)
    if pa.types.is_decimal(column.type):
        return column.cast(pa.float64())
    if pa.types.is_timestamp(column.type):
        return column.cast(pa.timestamp("us", "UTC" if column.type.tz else None), safe=False)
    return column
