"""Dropped files to batches of rows, in bounded memory: CSV, Parquet and JSON Lines, plain or gzipped."""

import csv
import gzip
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from typing import Any, BinaryIO, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from smallbox.define.source import Source
from smallbox.errors import MalformedBody, UnsupportedType
from smallbox.ingestion.body import parse_json

Batch = tuple[int, list[Any]]
"""The number of the first row, from 0 without a header, and rows that no contract has checked yet."""

BATCH_ROWS: Final = 10_000
LINE_LIMIT: Final = 1_000_000
"""The greatest length of a line, in bytes."""

_SPOOLED: Final = 32_000_000
_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False}
_CORRUPT: Final = (OSError, EOFError, zlib.error, csv.Error, UnicodeDecodeError, pa.ArrowException)


def read_batches(name: str, content: BinaryIO, source: Source) -> Iterator[Batch]:
    """The rows of a file, in batches.

    A line of JSON that is none is passed on as text, which the contract rejects, so that the rest is loaded. The
    texts of a CSV file become the contract's types where they can; see :func:`coerce`.

    Args:
        name: the file's name, which says its type: ``.csv``, ``.parquet`` or ``.jsonl``, each also with ``.gz``.
        content: the file.
        source: whose contract the rows should keep.

    Raises:
        UnsupportedType: when the name ends otherwise.
        MalformedBody: when the file is not what its name says, at the batch where that shows.
    """
    plain = name.lower().removesuffix(".gz")
    kind = plain.rpartition(".")[2]
    if kind not in _READERS:
        raise UnsupportedType(f"{name!r} is not read; drop .csv, .parquet or .jsonl, each also with .gz", file=name)
    with _malformed(name):
        # gzip reads any binary file object, which its type does not say
        stream: Any = gzip.GzipFile(fileobj=content) if plain != name.lower() else content
        first = 0
        rows = _READERS[kind](stream, source)
        while batch := list(islice(rows, BATCH_ROWS)):
            yield first, batch
            first += len(batch)


@contextmanager
def _malformed(name: str) -> Iterator[None]:
    try:
        yield
    except _CORRUPT as error:
        raise MalformedBody(f"{name!r} cannot be read: {str(error)[:200]}", file=name) from error


def _lines(content: BinaryIO) -> Iterator[bytes]:
    while line := content.readline(LINE_LIMIT + 1):
        if len(line) > LINE_LIMIT:
            raise MalformedBody(f"a line is longer than {LINE_LIMIT} bytes")
        yield line


def _json_rows(content: BinaryIO, _: Source) -> Iterator[Any]:
    for line in _lines(content):
        if line.strip():
            try:
                yield parse_json(line)
            except MalformedBody:
                yield line.decode(errors="backslashreplace")


def _csv_rows(content: BinaryIO, source: Source) -> Iterator[Any]:
    texts = (line.decode("utf-8-sig" if at == 0 else "utf-8") for at, line in enumerate(_lines(content)))
    rows = csv.DictReader(texts, restkey="(more columns than the header)", strict=True)
    return (coerce(source, row) for row in rows)


def _parquet_rows(content: BinaryIO, _: Source) -> Iterator[Any]:
    with tempfile.SpooledTemporaryFile(_SPOOLED) as seekable:
        shutil.copyfileobj(content, seekable)
        seekable.seek(0)
        for batch in pq.ParquetFile(seekable).iter_batches(BATCH_ROWS):
            columns = [_plain(column).to_pylist() for column in batch.columns]
            yield from (dict(zip(batch.schema.names, row, strict=True)) for row in zip(*columns, strict=True))


def _plain(column: pa.Array) -> pa.Array:
    """The column without what JSON could not have said: not a number, nanoseconds, decimals."""
    if pa.types.is_floating(column.type):
        return pc.if_else(pc.is_nan(column), None, column)
    if pa.types.is_decimal(column.type):
        return column.cast(pa.float64())
    if pa.types.is_timestamp(column.type):
        return column.cast(pa.timestamp("us", "UTC" if column.type.tz else None), safe=False)
    return column


_READERS: Final[Mapping[str, Callable[[Any, Source], Iterator[Any]]]] = {
    "csv": _csv_rows,
    "jsonl": _json_rows,
    "parquet": _parquet_rows,
}


def coerce(source: Source, row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of texts as the contract's types; an empty text is null, and what cannot be read stays as it is.

    >>> from smallbox.define import Source, boolean, integer, text, timestamp
    >>> fields = {"id": text(), "at": timestamp(), "n": integer(), "ok": boolean(nullable=True)}
    >>> coerce(Source("s", "id", "at", fields), {"id": "7", "at": "", "n": "3", "ok": "True"})
    {'id': '7', 'at': None, 'n': 3, 'ok': True}
    """
    coerced = dict(row)
    for name, field in source.fields.items():
        value = coerced.get(name)
        if isinstance(value, str):
            coerced[name] = None if value == "" else _COERCE.get(field.type, str)(value)
    return coerced


def _number(value: str) -> Any:
    try:
        # Python reads 1_000 as a number; nobody else does
        return value if "_" in value else float(value)
    except ValueError:
        return value


def _integer(value: str) -> Any:
    number = value.removeprefix("-")
    return int(value) if number.isascii() and number.isdigit() and len(number) < 20 else _number(value)  # noqa: PLR2004 - digits of 64 bits


def _boolean(value: str) -> Any:
    return _BOOLEANS.get(value.lower(), value)


_COERCE: Final[Mapping[str, Callable[[str], Any]]] = {"number": _number, "integer": _integer, "boolean": _boolean}
