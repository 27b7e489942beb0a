"""Gzipped files as streams, with a bound on how much comes out of them."""

import gzip
import io
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from smallbox.errors import TooLarge

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

UNPACKED_LIMIT: Final = 8_000_000_000
"""How many bytes a file may have unpacked: as many as one worker can cut within its time."""

RATIO_LIMIT: Final = 250
"""How many times as large as packed a file may be unpacked. Rows with keys of their own do not come near it; a run of
one byte is packed a thousandfold."""

RATIO_FROM: Final = 64_000_000
"""Up to so many bytes the ratio does not matter."""

_BUFFER: Final = 131_072


def unpacked(name: str, content: BinaryIO) -> Any:
    """The file's content as a stream, without gzip when the name ends in ``.gz``.

    Reading a gzipped file raises :class:`TooLarge` when more comes out than may.
    """
    if not name.lower().endswith(".gz"):
        return content
    return io.BufferedReader(_Unpacking(name, content), _BUFFER)


class _Unpacking(io.RawIOBase):
    """What comes out of a gzipped file, up to a bound."""

    def __init__(self, name: str, content: BinaryIO) -> None:
        super().__init__()
        self._name = name
        self._packed = content.seek(0, io.SEEK_END)
        content.seek(0)
        self._limit = min(max(RATIO_LIMIT * self._packed, RATIO_FROM), UNPACKED_LIMIT)
        self._stream = gzip.GzipFile(fileobj=content)
        self._size = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Read on; :class:`TooLarge` when more comes out than may."""
        count = self._stream.readinto(buffer)
        self._size += count
        if self._size > self._limit:
            raise TooLarge(
                f"{self._name!r} has {self._packed} bytes, and more than {self._limit} unpacked; a file may have "
                f"{UNPACKED_LIMIT} bytes unpacked, and beyond {RATIO_FROM} no more than {RATIO_LIMIT} times its packed "
                "size; drop it without .gz, in several files",
                file=self._name,
                limit=self._limit,
            )
        return count
