"""A dropped file cut into parts that each stand for themselves, in one pass and in bounded memory.

A part is a file of the same kind: a CSV file has the header again, a gzipped file's parts are plain. Blank lines are
left out, so a part says beside its content on which line of the file each of its rows begins. It ends where a batch
ends, so that the batches of the parts are the batches of the file: which rows are checked together, and with it what is
a duplicate, does not depend on whether the file was cut.
"""

import io
from array import array
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

import pyarrow as pa
import pyarrow.parquet as pq

from smallbox.errors import InvalidInput
from smallbox.ingestion.lines import Lines, csv_rows, header_of, json_rows
from smallbox.ingestion.readers import BATCH_LIMITS, Limits, kind_of, malformed, tables
from smallbox.ingestion.unpacking import unpacked

PART_LIMITS: Final = Limits(rows=250_000, bytes=64_000_000)
"""A worker loads as many rows in well under a minute of a processor, in some 400 MiB; see ``benchmarks/drops.py``."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """When a batch is full, and after how many rows or bytes a part ends with the batch."""

    batch: Limits = BATCH_LIMITS
    part: Limits = PART_LIMITS


_USUAL: Final = Sizes()


@dataclass(frozen=True, slots=True)
class FilePart:
    """Some rows of a file, as a file.

    Attributes:
        first: the number of its first row in the file, from 0.
        lines: the line of the file on which each row begins, from 1; empty for Parquet, which has no lines.
        content: the part.
    """

    first: int
    lines: "array[int]"
    content: bytes


class Cutting:
    """Cuts a file; the same file is always cut the same way.

    Args:
        name: the file's name, which says its type.
        content: the file.
        sizes: how large parts and their batches are.

    Attributes:
        error: why the file could not be read to its end, once the parts are through; they hold what stood before.
    """

    def __init__(self, name: str, content: BinaryIO, sizes: Sizes = _USUAL) -> None:
        self._name = name
        self._stream = unpacked(name, content)
        self._lines = Lines(self._stream, keep=True)
        self._sizes = sizes
        self.error: InvalidInput | None = None

    def parts(self) -> Iterator[FilePart]:
        """The parts, in order; :class:`UnsupportedType` when the file's type is not read."""
        return _CUTTERS[kind_of(self._name)](self)

    def csv_parts(self) -> Iterator[FilePart]:
        """Of CSV: rows may span lines, and each part has the header."""
        rows = csv_rows(self._lines)
        header = [name for names in self._until_broken(map(header_of, [rows])) for name in names]
        return self._line_parts(rows) if header else iter(())

    def json_parts(self) -> Iterator[FilePart]:
        """Of JSON Lines: a row is a line that is not blank."""
        return self._line_parts(json_rows(self._lines))

    def parquet_parts(self) -> Iterator[FilePart]:
        """Of Parquet: as many whole batches as fill a part."""
        held: list[pa.Table] = []
        first = rows = 0
        for table in self._until_broken(tables(self._stream, self._sizes.batch.rows)):
            held.append(table)
            rows += len(table)
            if self._sizes.part.has(rows, sum(batch.nbytes for batch in held)):
                yield FilePart(first, array("q"), _written(held))
                first, rows, held = first + rows, 0, []
        if held:
            yield FilePart(first, array("q"), _written(held))

    def _line_parts(self, rows: Iterator[tuple[int, object]]) -> Iterator[FilePart]:
        """Of lines, which one step of ``rows`` reads for one row; it gives the row's line."""
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
    """The part that is being cut out of lines."""

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
        """Take in the row that was just read and begins on that line; whether it fills the part."""
        self.rows.append(line)
        self._whole = len(self._lines.kept)
        self._batch_rows += 1
        if not self._sizes.batch.has(self._batch_rows, self._lines.size - self._batch_size):
            return False
        self._begin_batch()
        return self._sizes.part.has(len(self.rows), self._lines.size - self._size)

    def cut(self) -> FilePart:
        """The part up to the last whole row; the next one begins after it."""
        part = FilePart(self._first, self.rows, self._head + b"".join(self._lines.kept[: self._whole]))
        self._first += len(self.rows)
        del self._lines.kept[: self._whole]
        self._begin()
        return part


def _written(held: list[pa.Table]) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.concat_tables(held), buffer)
    return buffer.getvalue()


_CUTTERS: Final[Mapping[str, Callable[[Cutting], Iterator[FilePart]]]] = {
    "csv": Cutting.csv_parts,
    "jsonl": Cutting.json_parts,
    "parquet": Cutting.parquet_parts,
}
