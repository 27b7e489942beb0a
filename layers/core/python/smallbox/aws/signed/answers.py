"""Reads HTTP/1.1 answers as AWS sends them, with a tenth of the processor's time of ``http.client``.

It is strict (RFC 9112): whatever two readers could take for different answers is refused, and the connection is
dropped. So it reads no folded lines, no bare line feeds, and no length beside chunks. A header that comes twice has its
values joined by a comma (RFC 9110); two lengths are no number then.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

HEAD_LIMIT: Final = 65_536
"""The most bytes of the headers of an answer, or of what follows the last chunk."""

ANSWER_LIMIT: Final = 2_000_000_000
"""The most bytes of a body: a model of S3 may be large, but the memory is 3 GB."""

_LINE_LIMIT: Final = 4_096
"""The most bytes of a chunk's first line."""

_INTERIM_LIMIT: Final = 8
"""The most answers like ``100 Continue`` before the answer itself."""

_PIECE: Final = 65_536
_HEAD: Final = re.compile(
    r"HTTP/1\.(?P<minor>[01]) (?P<status>[1-9][0-9]{2})(?: [\t\x20-\x7e\x80-\xff]*)?\r\n"
    r"(?P<fields>(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*\r\n)*)"
)
_LENGTH: Final = re.compile("[0-9]{1,18}")
_CHUNK: Final = re.compile(rb"([0-9A-Fa-f]{1,15})[\t ]*(?:;[\t\x20-\x7e\x80-\xff]*)?")
_TRAILERS: Final = re.compile(rb"(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*\r\n)*")
_SWITCHED: Final = 101
_FINAL: Final = 200
_EMPTY: Final = {204, 304}


class UnreadableAnswer(ConnectionError):
    """An answer that is cut off, too large, or not HTTP/1.1."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An HTTP response.

    Attributes:
        status: the HTTP status.
        headers: by lower-case name.
        body: the body; never compressed.
        is_last: whether the connection cannot be used again.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    is_last: bool


def read_answer(receive: Callable[[int], bytes]) -> HttpAnswer:
    """The answer to a ``GET`` or ``POST`` that was sent alone.

    Args:
        receive: gives the next bytes of the connection, at most so many; none when it has ended.

    Raises:
        UnreadableAnswer: when it is cut off, too large, or breaks the protocol.
        OSError: as ``receive`` does.
    """
    incoming = _Incoming(receive)
    for _ in range(_INTERIM_LIMIT):
        minor, status, headers = _head(incoming.until(b"\r\n\r\n", HEAD_LIMIT))
        if status >= _FINAL:
            body, is_framed = _body(incoming, status, headers)
            is_last = not is_framed or minor == "0" or "close" in headers.get("connection", "").lower()
            # bytes behind the answer belong to none
            return HttpAnswer(status, headers, body, is_last or bool(incoming.held))
        if status == _SWITCHED:
            raise UnreadableAnswer("the server changed the protocol, which was not asked for")
    raise UnreadableAnswer("the server went on to say that it goes on")


class _Incoming:
    """What a connection gives, piece by piece.

    Attributes:
        held: received bytes that were not read yet.
    """

    __slots__ = ("_receive", "held")

    def __init__(self, receive: Callable[[int], bytes]) -> None:
        self._receive = receive
        self.held = b""

    def until(self, end: bytes, limit: int) -> bytes:
        """The bytes before ``end``, which is read too."""
        while (at := self.held.find(end, 0, limit + len(end))) < 0:
            if len(self.held) >= limit + len(end):
                raise UnreadableAnswer(f"the answer has more than {limit:,} bytes where it should have ended")
            self.held += self._more()
        found, self.held = self.held[:at], self.held[at + len(end) :]
        return found

    def exactly(self, count: int) -> bytes:
        """So many bytes."""
        if len(self.held) < count:
            pieces, missing = [self.held], count - len(self.held)
            while missing > 0:
                pieces.append(self._more())
                missing -= len(pieces[-1])
            self.held = b"".join(pieces)
        found, self.held = self.held[:count], self.held[count:]
        return found

    def rest(self, limit: int) -> bytes:
        """All until the connection ends."""
        pieces, size = [self.held], len(self.held)
        self.held = b""
        while piece := self._receive(_PIECE):
            pieces.append(piece)
            size += len(piece)
            _check_size(size, limit)
        return b"".join(pieces)

    def _more(self) -> bytes:
        piece = self._receive(_PIECE)
        if not piece:
            raise UnreadableAnswer("the connection ended " + ("within the answer" if self.held else "before an answer"))
        return piece


def _head(head: bytes) -> tuple[str, int, dict[str, str]]:
    """Minor version, status and headers."""
    found = _HEAD.fullmatch(head.decode("latin-1") + "\r\n")
    if found is None:
        raise UnreadableAnswer(f"the answer does not begin as HTTP/1.1 does: {head[:80]!r}")
    minor, status, fields = found.groups()
    headers: dict[str, str] = {}
    for line in fields.split("\r\n")[:-1]:
        name, _, value = line.partition(":")
        name, value = name.lower(), value.strip(" \t")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return minor, int(status), headers


def _body(incoming: _Incoming, status: int, headers: Mapping[str, str]) -> tuple[bytes, bool]:
    """The body, and whether the answer says where it ends."""
    coding, length = headers.get("transfer-encoding"), headers.get("content-length")
    if coding is not None:
        if coding.lower() != "chunked" or length is not None or status in _EMPTY:
            raise UnreadableAnswer(f"the body is coded as {coding[:80]!r} and has the length {length!r}")
        return _chunks(incoming), True
    if length is not None and not _LENGTH.fullmatch(length):
        raise UnreadableAnswer(f"the length of the body is {length[:80]!r}")
    if status in _EMPTY:
        return b"", True
    if length is None:
        return incoming.rest(ANSWER_LIMIT), False
    _check_size(int(length), ANSWER_LIMIT)
    return incoming.exactly(int(length)), True


def _chunks(incoming: _Incoming) -> bytes:
    pieces, size = list[bytes](), 0
    while True:
        line = _CHUNK.fullmatch(incoming.until(b"\r\n", _LINE_LIMIT))
        if line is None:
            raise UnreadableAnswer("a chunk does not begin with its size")
        count = int(line[1], 16)
        if not count:
            _skip_trailers(incoming)
            return b"".join(pieces)
        size += count
        _check_size(size, ANSWER_LIMIT)
        pieces.append(incoming.exactly(count))
        if incoming.exactly(2) != b"\r\n":
            raise UnreadableAnswer("a chunk is longer than its size")


def _skip_trailers(incoming: _Incoming) -> None:
    left = HEAD_LIMIT
    while line := incoming.until(b"\r\n", left):
        left -= len(line)
        if not _TRAILERS.fullmatch(line + b"\r\n"):
            raise UnreadableAnswer("what follows the last chunk is no header")


def _check_size(size: int, limit: int) -> None:
    if size > limit:
        raise UnreadableAnswer(f"the body has {size:,} bytes; at most {limit:,} are read")
