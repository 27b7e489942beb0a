"""Decompresses gzipped files as streams, with limits against decompression bombs."""

import gzip
import io
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from smallbox.errors import TooLarge

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

UNPACKED_LIMIT: Final = 8_000_000_000
"""Maximum unpacked size in bytes: as much as one worker can split within its time limit."""

RATIO_LIMIT: Final = 250
"""Maximum compression ratio. Rows with unique keys stay far below; a run of one byte compresses about 1000 times."""

RATIO_FROM: Final = 64_000_000
"""Up to this unpacked size in bytes the ratio is not checked."""

_BUFFER: Final = 131_072


def unpacked(name: str, content: BinaryIO) -> Any:
    """The file's content as a stream, decompressed when the name ends in ``.gz``.

    Reading raises :class:`TooLarge` when a gzipped file unpacks to more than allowed.
    """
    if not name.lower().endswith(".gz"):
        return content
    return io.BufferedReader(_Unpacking(name, content), _BUFFER)


class _Unpacking(io.RawIOBase):
    """Decompressed content of a gzipped file, with a size limit."""

    def __init__(self, name: str, content: BinaryIO) -> None:
        super().__init__()
        self._name = name
        self._packed = content.seek(0, io.SEEK_END)
        content.seek(0)
        self._limit = min(max(RATIO_LIMIT * self._packed, RATIO_FROM), UNPACKED_LIMIT)
        self._stream = gzip.GzipFile(fileobj=content)
        self._size = 0

    def readable(self) -> bool:
        """Always true."""
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Read into the buffer; raises :class:`TooLarge` when the file unpacks to more than allowed."""
        count = self._stream.readinto(buffer)
        self._size += count
        if self._size > self._limit:
            raise TooLarge(
                f"{self._name!r} has {self._packed} bytes, but more than {self._limit} unpacked; the limit is "
                f"{UNPACKED_LIMIT} bytes unpacked, and {RATIO_LIMIT} times the packed size beyond {RATIO_FROM} bytes; "
                "drop it without .gz, in several files",
                file=self._name,
                limit=self._limit,
            )
        return count
