"""Reads dropped files into batches of rows, in bounded memory: CSV, Parquet and JSON Lines, plain or gzipped."""

import csv
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final

import pyarrow as pa

from smallbox.define.source import Source
from smallbox.errors import MalformedBody, UnsupportedType
from smallbox.ingestion.csv_files import csv_rows, header_of, reader_of
from smallbox.ingestion.http_body import parse_json
from smallbox.ingestion.lines import Lines, json_rows
from smallbox.ingestion.parquet_files import is_valid_utf8, plain_column, tables
from smallbox.ingestion.unchecked_rows import ListedRows, TableRows, TextRows, UncheckedRows
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
        plain = pa.table([plain_column(column) for column in table.columns], table.column_names)
        yield RowBatch(first, TableRows(plain) if is_valid_utf8(plain) else ListedRows(TableRows(plain)))
        first += len(table)


_READERS: Final[Mapping[str, Callable[[Any, Source, Limits], Iterator[RowBatch]]]] = {
    "csv": _csv_batches,
    "jsonl": _json_batches,
    "parquet": _parquet_batches,
}
