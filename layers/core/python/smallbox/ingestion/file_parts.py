"""Splits a dropped file into self-contained parts, in one pass and in bounded memory.

A part is a file of the same type: each CSV part repeats the header, and the parts of a gzipped file are not compressed.
Blank lines are left out, so a part carries the line number in the original file for each row. A part ends at the end
of a batch. So the batches are the same whether or not the file was split, and with them the rows that are checked for
duplicates together.
"""

from array import array
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

import pyarrow as pa

from smallbox.errors import InvalidInput
from smallbox.ingestion.csv_files import csv_rows, header_of
from smallbox.ingestion.lines import Lines, json_rows
from smallbox.ingestion.parquet_files import tables
from smallbox.ingestion.readers import BATCH_LIMITS, Limits, kind_of, malformed
from smallbox.ingestion.unpacking import unpacked
from smallbox.lake.parquet import to_parquet_quickly

PART_LIMITS: Final = Limits(rows=250_000, bytes=64_000_000)
"""A worker loads this many rows in less than a minute of CPU time and about 400 MiB; see ``benchmarks/drops.py``."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Sizes of batches and parts; a part ends with the batch in which it reaches its limit."""

    batch: Limits = BATCH_LIMITS
    part: Limits = PART_LIMITS


_USUAL: Final = Sizes()


@dataclass(frozen=True, slots=True)
class FilePart:
    """Some rows of a file, as a file of its own.

    Attributes:
        first: the number of its first row in the original file, from 0.
        lines: the line of the original file on which each row begins, from 1; empty for Parquet, which has no lines.
        content: the part's content.
    """

    first: int
    lines: "array[int]"
    content: bytes


class FileSplitter:
    """Splits a file into parts; deterministic.

    Args:
        name: the file's name; its ending gives the type.
        content: the file.
        sizes: sizes of parts and their batches.

    Attributes:
        error: after the last part, why the file could not be read to its end; the parts hold the rows before the error.
    """

    def __init__(self, name: str, content: BinaryIO, sizes: Sizes = _USUAL) -> None:
        self._name = name
        self._stream = unpacked(name, content)
        self._lines = Lines(self._stream, keep=True)
        self._sizes = sizes
        self.error: InvalidInput | None = None

    def parts(self) -> Iterator[FilePart]:
        """The parts in order; raises :class:`UnsupportedType` when the file type is not supported."""
        return _SPLITTERS[kind_of(self._name)](self)

    def csv_parts(self) -> Iterator[FilePart]:
        """Parts of a CSV file: rows may span lines, and each part has the header."""
        rows = csv_rows(self._lines)
        header = [name for names in self._until_broken(map(header_of, [rows])) for name in names]
        return self._line_parts(rows) if header else iter(())

    def json_parts(self) -> Iterator[FilePart]:
        """Parts of a JSON Lines file: a row is a line that is not blank."""
        return self._line_parts(json_rows(self._lines))

    def parquet_parts(self) -> Iterator[FilePart]:
        """Parts of a Parquet file: as many whole batches as fill a part."""
        held: list[pa.Table] = []
        first = rows = 0
        for table in self._until_broken(tables(self._stream, self._sizes.batch.rows)):
            held.append(table)
            rows += len(table)
            if self._sizes.part.reached(rows, sum(batch.nbytes for batch in held)):
                yield FilePart(first, array("q"), to_parquet_quickly(pa.concat_tables(held)))
                first, rows, held = first + rows, 0, []
        if held:
            yield FilePart(first, array("q"), to_parquet_quickly(pa.concat_tables(held)))

    def _line_parts(self, rows: Iterator[tuple[int, object]]) -> Iterator[FilePart]:
        """Parts of a text file; each step of ``rows`` reads the lines of one row and gives its first line's number."""
        part = _LinePart(self._lines, self._sizes)
        for line, _ in self._until_broken(rows):
            if part.ends_with_row(line):
                yield part.cut()
        if part.rows:
            yield part.cut()

    def _until_broken(self, rows: Iterator[Any]) -> Iterator[Any]:
        try:
            with malformed(self._name):
                yield from rows
        except InvalidInput as error:
            where = f", in the row that begins at line {self._lines.row_line}" if self._lines.count else ""
            self.error = type(error)(f"{error.message}{where}", **{**error.details, "file": self._name})


class _LinePart:
    """Collects the lines of the current part."""

    def __init__(self, lines: Lines, sizes: Sizes) -> None:
        self._lines = lines
        self._sizes = sizes
        self._head = b"".join(lines.kept)
        self._first = 0
        lines.kept.clear()
        self._begin()
        self._begin_batch()

    def _begin(self) -> None:
        self.rows = array("q")
        self._whole = 0
        self._size = self._lines.size

    def _begin_batch(self) -> None:
        self._batch_rows = 0
        self._batch_size = self._lines.size

    def ends_with_row(self, line: int) -> bool:
        """Add the row that was just read and begins on this line; returns whether the part is full."""
        self.rows.append(line)
        self._whole = len(self._lines.kept)
        self._batch_rows += 1
        if not self._sizes.batch.reached(self._batch_rows, self._lines.size - self._batch_size):
            return False
        self._begin_batch()
        return self._sizes.part.reached(len(self.rows), self._lines.size - self._size)

    def cut(self) -> FilePart:
        """Return the part up to the last whole row, and begin the next one."""
        part = FilePart(self._first, self.rows, self._head + b"".join(self._lines.kept[: self._whole]))
        self._first += len(self.rows)
        del self._lines.kept[: self._whole]
        self._begin()
        return part


_SPLITTERS: Final[Mapping[str, Callable[[FileSplitter], Iterator[FilePart]]]] = {
    "csv": FileSplitter.csv_parts,
    "jsonl": FileSplitter.json_parts,
    "parquet": FileSplitter.parquet_parts,
}
