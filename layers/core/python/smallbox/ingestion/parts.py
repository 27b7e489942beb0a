"""A dropped file cut into parts that each stand for themselves, in one pass and in bounded memory.

A part is a file of the same kind: a CSV file has the header again, a gzipped file's parts are plain. It ends where a
batch ends, so that the batches of the parts are the batches of the file: which rows are checked together, and with it
what is a duplicate, does not depend on whether the file was cut.
"""

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, BinaryIO, Final

import pyarrow as pa
import pyarrow.parquet as pq

from smallbox.errors import InvalidInput, MalformedBody
from smallbox.ingestion.readers import BATCH, Limits, Lines, kind_of, malformed, tables, unpacked

PART: Final = Limits(rows=250_000, bytes=64_000_000)
"""A worker loads as many rows in well under a minute of a processor, in some 400 MiB; see ``benchmarks/drops.py``."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """When a batch is full, and after how many rows or bytes a part ends with the batch."""

    batch: Limits = BATCH
    part: Limits = PART


_USUAL: Final = Sizes()


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows of a file, as a file.

    Attributes:
        first: the number of its first row in the file, from 0.
        line: what to add to a line's number in the part to have the one in the file.
        content: the part.
    """

    first: int
    line: int
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
        self._line = 1
        self.error: InvalidInput | None = None

    def parts(self) -> Iterator[Part]:
        """The parts, in order; :class:`UnsupportedType` when the file's type is not read."""
        return _CUTTERS[kind_of(self._name)](self)

    def csv_parts(self) -> Iterator[Part]:
        """Of CSV: rows may span lines, and each part has the header."""
        reader = csv.reader(self._lines.texts(), strict=True)
        header = list(self._until_broken(islice(reader, 1)))
        return self._line_parts(row for row in reader if row) if header else iter(())

    def json_parts(self) -> Iterator[Part]:
        """Of JSON Lines: a row is a line that is not blank."""
        return self._line_parts(line for line in self._lines if line.strip())

    def parquet_parts(self) -> Iterator[Part]:
        """Of Parquet: as many whole batches as fill a part."""
        held: list[pa.Table] = []
        first = rows = 0
        for table in self._until_broken(tables(self._stream, self._sizes.batch.rows)):
            held.append(table)
            rows += len(table)
            if self._sizes.part.has(rows, sum(batch.nbytes for batch in held)):
                yield Part(first, 0, _written(held))
                first, rows, held = first + rows, 0, []
        if held:
            yield Part(first, 0, _written(held))

    def _line_parts(self, rows: Iterator[object]) -> Iterator[Part]:
        """Of lines, which one step of ``rows`` reads for one row."""
        part = _LinePart(self._lines, self._sizes)
        self._line = self._lines.count + 1
        for _ in self._until_broken(rows):
            self._line = self._lines.count + 1
            if part.ends_with_this_row():
                yield part.cut()
        if part.rows:
            yield part.cut()

    def _until_broken(self, rows: Iterator[Any]) -> Iterator[Any]:
        try:
            with malformed(self._name):
                yield from rows
        except InvalidInput as error:
            where = f", in the row that begins at line {self._line}" if self._lines.count else ""
            self.error = MalformedBody(f"{error.message}{where}", file=self._name)


class _LinePart:
    """The part that is being cut out of lines."""

    def __init__(self, lines: Lines, sizes: Sizes) -> None:
        self._lines = lines
        self._sizes = sizes
        self._head = b"".join(lines.kept)
        self._line = 0
        self._first = 0
        lines.kept.clear()
        self._begin()
        self._begin_batch()

    def _begin(self) -> None:
        self.rows = 0
        self._whole = 0
        self._size = self._lines.size

    def _begin_batch(self) -> None:
        self._batch_rows = 0
        self._batch_size = self._lines.size

    def ends_with_this_row(self) -> bool:
        """Take in the row whose lines were just read; whether it fills the part."""
        self.rows += 1
        self._whole = len(self._lines.kept)
        self._batch_rows += 1
        if not self._sizes.batch.has(self._batch_rows, self._lines.size - self._batch_size):
            return False
        self._begin_batch()
        return self._sizes.part.has(self.rows, self._lines.size - self._size)

    def cut(self) -> Part:
        """The part up to the last whole row; the next one begins after it."""
        lines = self._lines.kept[: self._whole]
        part = Part(self._first, self._line, self._head + b"".join(lines))
        self._first += self.rows
        self._line += self._whole
        del self._lines.kept[: self._whole]
        self._begin()
        return part


def _written(held: list[pa.Table]) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.concat_tables(held), buffer)
    return buffer.getvalue()


_CUTTERS: Final[Mapping[str, Callable[[Cutting], Iterator[Part]]]] = {
    "csv": Cutting.csv_parts,
    "jsonl": Cutting.json_parts,
    "parquet": Cutting.parquet_parts,
}
