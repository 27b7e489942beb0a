"""The handler of ``functions/serving/predict`` whose stores answer in its own process, below its connections.

So no time of the kernel counts, and none of the stores: ``aside`` says what they took, and ``measure`` subtracts it.
"""

import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.served.stores import Stores, head_of
from benchmarks.served.with_smallbox import load as load_smallbox
from benchmarks.served.with_smallbox import output_of, request_of

__all__ = ["aside", "load", "output_of", "request_of"]

_taken = [0]


def aside() -> int:
    """How many nanoseconds of the processor the stores took so far."""
    return _taken[0]


class StubbedSocket:
    """A socket that answers what is sent."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self._silent, self._other = socket.socketpair()
        self._answer = b""

    def sendall(self, request: bytes) -> None:
        """Make the answer."""
        begun = time.process_time_ns()
        head, _, body = request.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        targets = [line.partition(": ")[2] for line in lines if line.startswith("x-amz-target")]
        found = self._stores.answer(first.split(" ")[1], "".join(targets), body)
        self._answer = head_of(*found) + found[2]
        _taken[0] += time.process_time_ns() - begun

    def recv(self, most: int) -> bytes:
        """The next bytes of the answer."""
        found, self._answer = self._answer[:most], self._answer[most:]
        return found

    def fileno(self) -> int:
        """Of a socket on which nothing ever arrives."""
        return self._silent.fileno()

    def settimeout(self, seconds: float) -> None:
        """It answers at once."""

    def close(self) -> None:
        """Nothing is open."""


def load(folder: str, model: str) -> Callable[[Any], Any]:
    """The handler."""
    from smallbox.aws.signed.connection import KeptConnection  # noqa: PLC0415 - found where the arguments say

    stores = Stores(Path(folder))
    connected: Any = lambda *_: StubbedSocket(stores)  # noqa: E731 - takes the place of a method
    KeptConnection._connected = connected  # type: ignore[method-assign]  # noqa: SLF001 - below it is the kernel
    return load_smallbox(folder, model)
