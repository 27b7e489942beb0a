"""Dropped files to batches of rows, in bounded memory: CSV, Parquet and JSON Lines, plain or gzipped."""

import csv
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from smallbox.define.source import Source
from smallbox.errors import MalformedBody, UnsupportedType
from smallbox.ingestion.body import parse_json
from smallbox.ingestion.lines import Lines, check_names, csv_rows, header_of, json_rows
from smallbox.ingestion.rows import ListedRows, TableRows, TextRows, UncheckedRows
from smallbox.ingestion.unpacking import unpacked


@dataclass(frozen=True, slots=True)
class Limits:
    """When a batch of rows is full: at so many rows or so many bytes of text, whichever comes first."""

    rows: int
    bytes: int

    def has(self, rows: int, size: int) -> bool:
        """Whether so many rows and bytes are as many as a batch has."""
        return rows >= self.rows or size >= self.bytes


BATCH_LIMITS: Final = Limits(rows=10_000, bytes=16_000_000)
"""What is checked at once, as one array: a key that stands in it twice with other values is a duplicate."""

_SPOOLED: Final = 32_000_000
_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False}
_CORRUPT: Final = (OSError, EOFError, zlib.error, csv.Error, UnicodeDecodeError)


@dataclass(frozen=True, slots=True)
class RowBatch:
    """Rows that no contract has checked yet.

    Attributes:
        first: the number of the first row, from 0, without a header.
        rows: the rows.
        lines: the line on which each row begins, from 1; empty for Parquet, which has no lines.
    """

    first: int
    rows: UncheckedRows
    lines: list[int] = field(default_factory=list)


def kind_of(name: str) -> str:
    """The type that a file's name says.

    >>> kind_of("drop/weather/January.CSV.gz")
    'csv'

    Raises:
        UnsupportedType: when it is none that is read.
    """
    kind = name.lower().removesuffix(".gz").rpartition(".")[2]
    if kind not in _READERS:
        raise UnsupportedType(f"{name!r} is not read; drop .csv, .parquet or .jsonl, each also with .gz", file=name)
    return kind


@contextmanager
def malformed(name: str) -> Iterator[None]:
    """Raise what a library says of a corrupt file as :class:`MalformedBody`."""
    try:
        yield
    except pa.ArrowException as error:  # its text can repeat a value of the file, which may be personal
        raise MalformedBody(f"{name!r} cannot be read: damaged, or of another type", file=name) from error
    except _CORRUPT as error:
        raise MalformedBody(f"{name!r} cannot be read: {str(error)[:200]}", file=name) from error


def read_numbered(name: str, content: BinaryIO, source: Source, limits: Limits = BATCH_LIMITS) -> Iterator[RowBatch]:
    """The rows of a file, in batches.

    A line of JSON that is none is passed on as text, which the contract rejects, so that the rest is loaded. The
    texts of a CSV file become the contract's types where they can; an empty text is null, and what cannot be read
    stays as it is.

    Args:
        name: the file's name, which says its type: ``.csv``, ``.parquet`` or ``.jsonl``, each also with ``.gz``.
        content: the file.
        source: whose contract the rows should keep.
        limits: when a batch is full.

    Raises:
        UnsupportedType: when the name ends otherwise.
        MalformedBody: when the file is not what its name says, or names a column twice; at the batch where that shows.
        TooLarge: when more comes out of a gzipped file than may.
    """
    read = _READERS[kind_of(name)]
    with malformed(name):
        yield from read(unpacked(name, content), source, limits)


def read_batches(name: str, content: BinaryIO, source: Source) -> Iterator[tuple[int, list[Any]]]:
    """As :func:`read_numbered`: the number of the first row, and the rows."""
    return ((batch.first, list(batch.rows)) for batch in read_numbered(name, content, source))


def _batches(
    rows: Iterator[tuple[int, Any]], lines: Lines, limits: Limits, kept: Callable[[list[Any]], UncheckedRows]
) -> Iterator[RowBatch]:
    """The rows with the lines on which they begin, in batches."""
    first, begun = 0, lines.size
    found: list[Any] = []
    numbers: list[int] = []
    for line, row in rows:
        found.append(row)
        numbers.append(line)
        if limits.has(len(found), lines.size - begun):
            yield RowBatch(first, kept(found), numbers)
            first, begun, found, numbers = first + len(found), lines.size, [], []
    if found:
        yield RowBatch(first, kept(found), numbers)


def _json_batches(content: BinaryIO, _: Source, limits: Limits) -> Iterator[RowBatch]:
    lines = Lines(content)
    rows = ((number, _json(line)) for number, line in json_rows(lines))
    return _batches(rows, lines, limits, ListedRows)


def _json(line: bytes) -> Any:
    try:
        return parse_json(line)
    except MalformedBody:
        return line.decode(errors="backslashreplace")


def _csv_batches(content: BinaryIO, source: Source, limits: Limits) -> Iterator[RowBatch]:
    lines = Lines(content)
    rows = csv_rows(lines)
    header = header_of(rows)
    values = [reader_of(source, name) for name in header]
    return _batches(rows, lines, limits, lambda found: TextRows(header, values, found))


def _parquet_batches(content: BinaryIO, _: Source, limits: Limits) -> Iterator[RowBatch]:
    first = 0
    for table in tables(content, limits.rows):
        plain = pa.table([_plain(column) for column in table.columns], table.column_names)
        yield RowBatch(first, TableRows(plain) if _is_sound(plain) else ListedRows(TableRows(plain)))
        first += len(table)


def _is_sound(table: pa.Table) -> bool:
    """Whether the texts are UTF-8: Parquet does not check it, and making objects of them here tells."""
    try:
        table.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def tables(content: Any, rows: int) -> Iterator[pa.Table]:
    """The rows of a Parquet file, in tables of exactly that many and a last one of the rest.

    Raises:
        MalformedBody: when two columns have one name.
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
    file = pq.ParquetFile(content)
    check_names(file.schema_arrow.names)
    for batch in file.iter_batches(rows):
        table = pa.Table.from_batches([batch])
        held = table if held is None else pa.concat_tables([held, table])
        while len(held) >= rows:
            yield held.slice(0, rows)
            held = held.slice(rows)
    if held is not None and len(held):
        yield held


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column without what JSON could not have said: not a number, nanoseconds, decimals."""
    if pa.types.is_floating(column.type):
        return pc.if_else(pc.is_nan(column), None, column)
    if pa.types.is_decimal(column.type):
        return column.cast(pa.float64())
    if pa.types.is_timestamp(column.type):
        return column.cast(pa.timestamp("us", "UTC" if column.type.tz else None), safe=False)
    return column


_READERS: Final[Mapping[str, Callable[[Any, Source, Limits], Iterator[RowBatch]]]] = {
    "csv": _csv_batches,
    "jsonl": _json_batches,
    "parquet": _parquet_batches,
}


def reader_of(source: Source, name: str) -> Callable[[str], Any]:
    """What makes a value of the field out of a text; the texts of a column that is no field stay as they are.

    >>> from smallbox.define import Source, boolean, integer, text, timestamp
    >>> source = Source("s", "id", "at", {"id": text(), "at": timestamp(), "n": integer(), "ok": boolean()})
    >>> [reader_of(source, name)(value) for name, value in {"id": "", "n": "3", "ok": "True", "x": ""}.items()]
    [None, 3, True, '']
    """
    return _VALUES[source.fields[name].type] if name in source.fields else str


def _text(value: str) -> Any:
    return value or None


def _number(value: str) -> Any:
    try:
        # Python reads 1_000 as a number; nobody else does
        return value if "_" in value else float(value)
    except ValueError:
        return value or None


def _integer(value: str) -> Any:
    number = value.removeprefix("-")
    return int(value) if number.isascii() and number.isdigit() and len(number) < 20 else _number(value)  # noqa: PLR2004 - digits of 64 bits


def _boolean(value: str) -> Any:
    return _BOOLEANS.get(value.lower(), value or None)


_VALUES: Final[Mapping[str, Callable[[str], Any]]] = {
    "text": _text,
    "timestamp": _text,
    "number": _number,
    "integer": _integer,
    "boolean": _boolean,
}
