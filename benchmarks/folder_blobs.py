"""The ``Blobs`` port of the benchmarks."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from smallbox.errors import Conflict, NotStored
from smallbox.ports import StoredObject
from smallbox.times import SECOND


class FolderBlobs:
    """The ``Blobs`` port over the files of a folder, since a large file in memory would be measured too."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def _file(self, key: str) -> Path:
        if not (self._folder / key).is_file():
            raise NotStored(f"there is no object {key!r}", key=key)
        return self._folder / key

    def get(self, key: str) -> bytes:
        """The content of a file."""
        return self._file(key).read_bytes()

    def download(self, key: str, into: BinaryIO) -> StoredObject:
        """Copy a file into another."""
        file = self._file(key)
        with file.open("rb") as content:
            shutil.copyfileobj(content, into)
        into.seek(0)
        found = file.stat()
        return StoredObject(int(found.st_mtime) * SECOND, f"{found.st_mtime_ns}-{found.st_size}")

    def put(self, key: str, content: bytes) -> None:
        """Write a file."""
        (self._folder / key).parent.mkdir(parents=True, exist_ok=True)
        (self._folder / key).write_bytes(content)

    def put_new(self, key: str, content: bytes) -> None:
        """Write a file that is not there yet."""
        if (self._folder / key).exists():
            raise Conflict(f"there is an object {key!r}", key=key)
        self.put(key, content)

    def upload(self, key: str, content: BinaryIO) -> None:
        """Copy from a file."""
        (self._folder / key).parent.mkdir(parents=True, exist_ok=True)
        with (self._folder / key).open("wb") as file:
            shutil.copyfileobj(content, file)

    def delete(self, key: str) -> None:
        """Remove a file."""
        (self._folder / key).unlink(missing_ok=True)

    def list(self, prefix: str) -> Sequence[str]:
        """The keys with the prefix."""
        files = (str(f.relative_to(self._folder)) for f in self._folder.rglob("*") if f.is_file())
        return sorted(key for key in files if key.startswith(prefix))
