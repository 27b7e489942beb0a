"""Splits a text file into lines and rows, in bounded memory; blank lines are skipped."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import BinaryIO, Final

from smallbox.errors import MalformedBody

LINE_LIMIT: Final = 1_000_000
"""Maximum length of a line in bytes."""

ROW_LIMIT: Final = 4_000_000
"""Maximum length of a row in bytes: a CSV row may contain quoted line breaks."""

_SHOWN: Final = 80


class Lines(Iterator[bytes]):
    """The lines of a stream, with the position in it.

    Attributes:
        count: number of lines read so far, including blank ones.
        size: number of bytes read so far, without blank lines.
        row_line: the line on which the current row begins, from 1.
        kept: with ``keep=True``, the lines read so far without blank ones.
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
        """The next line with its line ending; raises :class:`MalformedBody` when the line or its row is too long."""
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
        """Mark the lines since the last row as one row."""
        self.size += self._row_size
        self._row_size = 0

    def forget_blank(self) -> None:
        """Drop the last line, which is blank."""
        self._row_size = 0
        if self._keep:
            self.kept.pop()

    def begin_row(self) -> None:
        """Mark the next line as the first of a row."""
        self.row_line = self.count + 1


def json_rows(lines: Lines) -> Iterator[tuple[int, bytes]]:
    """The rows of a JSON Lines file: the lines that are not blank, each with its line number."""
    for line in lines:
        if line.strip():
            lines.take_row()
            yield lines.row_line, line
        else:
            lines.forget_blank()
        lines.begin_row()


def check_names(names: Sequence[str]) -> None:
    """Raise when two columns have the same name, because all but one would be lost.

    Raises:
        MalformedBody: naming the column and its positions.
    """
    name, times = max(Counter(names).items(), key=lambda pair: pair[1], default=("", 0))
    if times > 1:
        places = " and ".join(str(at) for at, other in enumerate(names, 1) if other == name)
        raise MalformedBody(f"{name[:_SHOWN]!a} names the columns {places}; give each column a name of its own")
