"""Lines of a text file to rows, in bounded memory: blank lines are forgotten as they are read."""

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import BinaryIO, Final

from smallbox.errors import MalformedBody

LINE_LIMIT: Final = 1_000_000
"""The greatest length of a line, in bytes."""

ROW_LIMIT: Final = 4_000_000
"""The greatest length of a row, in bytes: a CSV row goes on over the line breaks in its quotes."""

_SHOWN: Final = 80


class Lines(Iterator[bytes]):
    """The lines of a stream, and how far they have been read.

    Attributes:
        count: lines so far, blank ones too.
        size: bytes so far, without blank lines.
        row_line: the line on which the row begins that is being read, from 1.
        kept: the lines themselves, without blank ones, for one who means to write them again.
    """

    def __init__(self, content: BinaryIO, *, keep: bool = False) -> None:
        self._content = content
        self._keep = keep
        self.count = 0
        self.size = 0
        self.row_line = 1
        self.kept: list[bytes] = []
        self._row_size = 0

    def __next__(self) -> bytes:
        """The next line, its ending included; :class:`MalformedBody` when it or its row is too long."""
        line = self._content.readline(LINE_LIMIT + 1)
        if not line:
            raise StopIteration
        self.count += 1
        if len(line) > LINE_LIMIT:
            raise MalformedBody(f"a line is longer than {LINE_LIMIT} bytes")
        self._row_size += len(line)
        if self._row_size > ROW_LIMIT:
            raise MalformedBody(f"a row is longer than {ROW_LIMIT} bytes")
        if self._keep:
            self.kept.append(line)
        return line

    def texts(self) -> Iterator[str]:
        """The lines as text, without a byte order mark before the first."""
        return (line.decode("utf-8-sig" if self.count == 1 else "utf-8") for line in self)

    def take_row(self) -> None:
        """What was read since the last row is a row."""
        self.size += self._row_size
        self._row_size = 0

    def forget_blank(self) -> None:
        """What was read since the last row is one blank line."""
        self._row_size = 0
        if self._keep:
            self.kept.pop()

    def begin_row(self) -> None:
        """The next line is the first of a row."""
        self.row_line = self.count + 1


def json_rows(lines: Lines) -> Iterator[tuple[int, bytes]]:
    """The lines that are not blank, each with its number."""
    for line in lines:
        if line.strip():
            lines.take_row()
            yield lines.row_line, line
        else:
            lines.forget_blank()
        lines.begin_row()


def csv_rows(lines: Lines) -> Iterator[tuple[int, list[str]]]:
    """The rows of a CSV file, its header among them, each with the number of the line on which it begins."""
    for row in csv.reader(lines.texts(), strict=True):
        if row:
            lines.take_row()
            yield lines.row_line, row
        else:
            lines.forget_blank()
        lines.begin_row()


def header_of(rows: Iterator[tuple[int, list[str]]]) -> list[str]:
    """The first row; empty when there is none.

    Raises:
        MalformedBody: when it names a column twice.
    """
    _, header = next(rows, (0, []))
    check_names(header)
    return header


def check_names(names: Sequence[str]) -> None:
    """Refuse columns of one name, of which all but one would be lost.

    Raises:
        MalformedBody: naming the column.
    """
    name, times = max(Counter(names).items(), key=lambda pair: pair[1], default=("", 0))
    if times > 1:
        places = " and ".join(str(at) for at, other in enumerate(names, 1) if other == name)
        raise MalformedBody(f"{name[:_SHOWN]!a} names the columns {places}; give each column a name of its own")
