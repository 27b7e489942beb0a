"""Ports in memory whose process can die before any of its writes."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from smallbox.times import Micros
from tests.fakes.edges import FakeBlobs, FakeQueue
from tests.fakes.lake import FakeLake
from tests.fakes.online import Crash


class Fuse:
    """Counts the writes of a process, over all of its ports, and lets it die."""

    def __init__(self) -> None:
        self._left: int | None = None

    def crash_after(self, writes: int | None) -> None:
        """Let that many more writes pass, then raise ``Crash`` at each; ``None`` lets all pass."""
        self._left = writes

    def burn(self) -> None:
        """A write is about to happen."""
        if self._left == 0:
            raise Crash
        if self._left is not None:
            self._left -= 1


class CrashingBlobs(FakeBlobs):
    """Blobs that a dying process writes."""

    def __init__(self, fuse: Fuse, now: Micros = 0) -> None:
        super().__init__(now)
        self._fuse = fuse

    def put(self, key: str, content: bytes) -> None:
        self._fuse.burn()
        super().put(key, content)

    def delete(self, key: str) -> None:
        self._fuse.burn()
        super().delete(key)


class CrashingQueue(FakeQueue):
    """A queue to which a dying process sends, message by message as SQS is sent to."""

    def __init__(self, fuse: Fuse) -> None:
        super().__init__()
        self._fuse = fuse

    def send(self, messages: Sequence[Mapping[str, Any]], delay: Micros = 0, within: Micros | None = None) -> None:
        for message in messages:
            self._fuse.burn()
            super().send([message], delay)


class CrashingLake(FakeLake):
    """A lake to which a dying process appends."""

    def __init__(self, fuse: Fuse) -> None:
        super().__init__()
        self._fuse = fuse

    def append(self, table: str, rows: pa.Table) -> None:
        self._fuse.burn()
        super().append(table, rows)
