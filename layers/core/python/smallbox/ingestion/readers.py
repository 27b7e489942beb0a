"""Reads dropped files into batches of rows, in bounded memory: CSV, Parquet and JSON Lines, plain or gzipped."""

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
    """Size limit in rows and in bytes of text; whichever is reached first applies."""

    rows: int
    bytes: int

    def reached(self, rows: int, size: int) -> bool:
        """Whether this many rows or bytes reach the limit."""
        return rows >= self.rows or size >= self.bytes


BATCH_LIMITS: Final = Limits(rows=10_000, bytes=16_000_000)
"""Size of a validation batch. A key that occurs twice in a batch, with different values, is a duplicate."""

_SPOOLED: Final = 32_000_000
_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False}
_CORRUPT: Final = (OSError, EOFError, zlib.error, csv.Error, UnicodeDecodeError)


@dataclass(frozen=True, slots=True)
class RowBatch:
    """A batch of rows that are not validated yet.

    Attributes:
        first: the number of the first row, from 0; a header does not count.
        rows: the rows.
        lines: the line on which each row begins, from 1; empty for Parquet, which has no lines.
    """

    first: int
    rows: UncheckedRows
    lines: list[int] = field(default_factory=list)


def kind_of(name: str) -> str:
    """The file type, from the ending of the name.

    >>> kind_of("drop/weather/January.CSV.gz")
    'csv'

    Raises:
        UnsupportedType: when the type is not supported.
    """
    kind = name.lower().removesuffix(".gz").rpartition(".")[2]
    if kind not in _READERS:
        raise UnsupportedType(
            f"{name!r} has an unsupported type; drop .csv, .parquet or .jsonl, each also with .gz", file=name
        )
    return kind


@contextmanager
def malformed(name: str) -> Iterator[None]:
    """Translate a library's error about a corrupt file into :class:`MalformedBody`."""
    try:
        yield
    except pa.ArrowException as error:  # the error's text may contain a personal value of the file, so it is left out
        raise MalformedBody(f"{name!r} cannot be read: damaged, or of another type", file=name) from error
    except _CORRUPT as error:
        raise MalformedBody(f"{name!r} cannot be read: {str(error)[:200]}", file=name) from error


def read_numbered(name: str, content: BinaryIO, source: Source, limits: Limits = BATCH_LIMITS) -> Iterator[RowBatch]:
    """Read a file in batches of rows.

    A line that is not valid JSON becomes a text, which the contract rejects; the other lines are loaded. The texts of a
    CSV file are converted to the contract's types: an empty text is null, and a text that cannot be converted stays a
    text.

    Args:
        name: the file's name; its ending gives the type: ``.csv``, ``.parquet`` or ``.jsonl``, each also with ``.gz``.
        content: the file.
        source: the source with the contract.
        limits: the size of a batch.

    Raises:
        UnsupportedType: when the name has another ending.
        MalformedBody: when the content does not match the type, or two columns have the same name; raised when the
            iteration gets there.
        TooLarge: when a gzipped file unpacks to more than allowed.
    """
    read = _READERS[kind_of(name)]
    with malformed(name):
        yield from read(unpacked(name, content), source, limits)


def read_batches(name: str, content: BinaryIO, source: Source) -> Iterator[tuple[int, list[Any]]]:
    """Like :func:`read_numbered`, but as pairs: the number of the first row, and the rows as objects."""
    return ((batch.first, list(batch.rows)) for batch in read_numbered(name, content, source))


def _batches(
    rows: Iterator[tuple[int, Any]], lines: Lines, limits: Limits, kept: Callable[[list[Any]], UncheckedRows]
) -> Iterator[RowBatch]:
    """Group rows and their line numbers into batches."""
    first, begun = 0, lines.size
    found: list[Any] = []
    numbers: list[int] = []
    for line, row in rows:
        found.append(row)
        numbers.append(line)
        if limits.reached(len(found), lines.size - begun):
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
        yield RowBatch(first, TableRows(plain) if _is_valid_utf8(plain) else ListedRows(TableRows(plain)))
        first += len(table)


def _is_valid_utf8(table: pa.Table) -> bool:
    """Whether all texts are valid UTF-8, which Parquet does not check; converting invalid ones to objects raises."""
    try:
        table.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


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
    """Convert values that JSON cannot express: NaN becomes null, nanoseconds microseconds, decimals float64."""
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
    """The converter from text to the field's type; texts of an unknown column stay texts.

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
        # Python parses 1_000 as a number; other languages do not
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
