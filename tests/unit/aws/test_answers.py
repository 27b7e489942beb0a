"""Proves what the reader of HTTP answers accepts, and that it never takes bytes for another answer than http.client."""

import io
from collections.abc import Callable, Iterator
from http.client import HTTPException, HTTPResponse
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallbox.aws.signed import answers
from smallbox.aws.signed.answers import HEAD_LIMIT, HttpAnswer, UnreadableAnswer, read_answer

OK = b"HTTP/1.1 200 OK\r\n"
FIVE = b"Content-Length: 5\r\n"
EARLY = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
ARABIC_FIVE = "\N{ARABIC-INDIC DIGIT FIVE}".encode()
PIECES = (b"", b"\r\n", b"\n", b"\r", b" ", b":", b"0", b"f", b";", b",", b"\x00", b"\xff")


def arriving(content: bytes, sizes: Iterator[int] | None = None) -> Callable[[int], bytes]:
    """A connection that gives these bytes in pieces, and then ends."""
    stream = io.BytesIO(content)
    return lambda most: stream.read(most if sizes is None else min(next(sizes, most), most))


def read(content: bytes) -> HttpAnswer:
    """The answer in these bytes."""
    return read_answer(arriving(content))


class _Sent:
    """Bytes as http.client reads them of a socket."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def makefile(self, mode: str) -> io.BytesIO:
        assert mode == "rb"
        return io.BytesIO(self.content)


def oracle(content: bytes) -> tuple[int, dict[str, str], bytes, bool] | None:
    """Status, headers by lower-case name, body, and whether the connection ends, by http.client."""
    sent: Any = _Sent(content)
    response = HTTPResponse(sent, method="POST")
    try:
        response.begin()
        body = response.read()
    except (HTTPException, ValueError, OSError):
        return None
    headers: dict[str, str] = {}
    for name, value in response.headers.items():
        known, stripped = headers.get(name.lower()), value.strip(" \t")
        headers[name.lower()] = stripped if known is None else f"{known}, {stripped}"
    return response.status, headers, body, response.will_close


@pytest.mark.parametrize(
    ("sent", "body", "is_last"),
    [
        (OK + FIVE + b"\r\nhello", b"hello", False),
        (OK + b"content-LENGTH:5\t\r\n\r\nhello", b"hello", False),
        (OK + FIVE + b"Connection: Close\r\n\r\nhello", b"hello", True),
        (OK.replace(b"1.1", b"1.0") + FIVE + b"\r\nhello", b"hello", True),
        (OK + b"\r\nhello", b"hello", True),
        (OK + FIVE + b"\r\nhello, and more", b"hello", True),
        (OK + b"Content-Length: 0\r\n\r\n", b"", False),
        (b"HTTP/1.1 204\r\n\r\n", b"", False),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", b"", False),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + EARLY + OK + FIVE + b"\r\nhello", b"hello", False),
        (OK + b"Transfer-Encoding: Chunked\r\n\r\n3\r\nhel\r\n2;why=not\r\nlo\r\n0\r\nX: y\r\n\r\n", b"hello", False),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n0A\r\n0123456789\r\n0\r\n\r\n", b"0123456789", False),
    ],
)  # fmt: skip
@pytest.mark.parametrize("size", [1, 7, 65_536])
def test_an_answer_is_read_to_its_end(sent: bytes, body: bytes, size: int, *, is_last: bool) -> None:
    """Whatever pieces it comes in; the connection is kept only where the answer says where it ends, and ends there."""
    found = read_answer(arriving(sent, iter(lambda: size, 0)))
    assert found.body == body
    if size == 65_536 or b"more" not in sent:
        assert found.is_last is is_last


def test_headers_have_lower_case_names() -> None:
    """Spaces around a value are none of it; a header that comes twice has both values."""
    found = read(OK + b"X-Amz-Crc32: \t 12 3 \r\nVia: a\r\nvia:b\r\nEmpty:\r\nContent-Length: 0\r\n\r\n")
    assert found.status == 200
    assert found.headers == {"x-amz-crc32": "12 3", "via": "a, b", "empty": "", "content-length": "0"}


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        (b"", "before an answer"),
        (b"HTTP/1.1 20", "within the answer"),
        (OK + FIVE, "within the answer"),
        (OK + FIVE + b"\r\nhell", "connection ended"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhel", "connection ended"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "connection ended"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n", "connection ended"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nhello\r\n0\r\n\r\n", "longer than its size"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n-3\r\nhello", "begin with its size"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello", "begin with its size"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n\r\n", "begin with its size"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\nno header\r\n\r\n", "no header"),
        (OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "coded as"),
        (OK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "coded as"),
        (OK + FIVE + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "coded as"),
        (OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", "length of the body"),
        (OK + b"Content-Length: +5\r\n\r\nhello", "length of the body"),
        (OK + b"Content-Length: -1\r\n\r\nhello", "length of the body"),
        (OK + b"Content-Length: " + ARABIC_FIVE + b"\r\n\r\nhello", "length of the body"),
        (OK + b"Content-Length: 5000000000\r\n\r\n", "at most"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\nfffffffff\r\n", "at most"),
        (b"HTTP/2 200 OK\r\n\r\n", "does not begin"),
        (b"HTTP/1.1 20 OK\r\n\r\n", "does not begin"),
        (b"HTTP/1.1  200 OK\r\n\r\n", "does not begin"),
        (b"ICY 200 OK\r\n\r\n", "does not begin"),
        (b"\r\n" + OK + FIVE + b"\r\nhello", "does not begin"),
        (OK + b"Folded: a\r\n b\r\n" + FIVE + b"\r\nhello", "does not begin"),
        (OK + b"Spaced : a\r\n" + FIVE + b"\r\nhello", "does not begin"),
        (OK + b"Bare: a\nContent-Length: 0\r\n" + FIVE + b"\r\nhello", "does not begin"),
        (OK + b"Zero: a\x00\r\n" + FIVE + b"\r\nhello", "does not begin"),
        (OK + b"no header\r\n" + FIVE + b"\r\nhello", "does not begin"),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "changed the protocol"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 9 + OK + FIVE + b"\r\nhello", "goes on"),
        (OK + b"Long: " + b"a" * HEAD_LIMIT + b"\r\n\r\n", "more than 65,536 bytes"),
        (b"a" * 100_000, "more than 65,536 bytes"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"0" * 5_000, "more than 4,096 bytes"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"a: b\r\n" * 50_000, "bytes where it should have ended"),
    ],
)  # fmt: skip
def test_what_is_not_clearly_an_answer_is_refused(sent: bytes, why: str) -> None:
    """Cut off, too large, or ambiguous: an error that says so, and no answer."""
    with pytest.raises(UnreadableAnswer, match=why):
        read(sent)


def test_a_body_without_a_length_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that never ends does not fill the memory."""
    monkeypatch.setattr(answers, "ANSWER_LIMIT", 100_000)
    with pytest.raises(UnreadableAnswer, match="at most 100,000"):
        read_answer(lambda most: (OK + b"\r\n" + b"a" * most)[:most])


def test_a_connection_that_fails_raises_its_own_error() -> None:
    """A time that is over is the caller's to see."""

    def receive(_: int) -> bytes:
        raise TimeoutError("timed out")

    with pytest.raises(TimeoutError):
        read_answer(receive)


NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,12}", fullmatch=True).filter(
    lambda name: name.lower() not in {"connection", "content-length", "transfer-encoding", "keep-alive"}
)
VALUES = st.from_regex(r"([!-~]([ -~]{0,10}[!-~])?)?", fullmatch=True)


@st.composite
def valid_answers(draw: st.DrawFn) -> bytes:
    """Answers as a server may send them, by a length, in chunks, or to the end of the connection."""
    status, body = draw(st.sampled_from([200, 201, 204, 304, 400, 404, 500, 503])), draw(st.binary(max_size=60))
    lines = [f"{name}: {value}" for name, value in draw(st.lists(st.tuples(NAMES, VALUES), max_size=5))]
    framing = draw(st.sampled_from(["length", "chunks", "end"]))
    if status in {204, 304}:
        body, framing = b"", draw(st.sampled_from(["length", "end"]))
    if framing == "length":
        lines.append(f"{draw(st.sampled_from(['content-length', 'Content-Length']))}: {len(body)}")
    elif framing == "chunks":
        lines.append("Transfer-Encoding: chunked")
        body = draw(chunked(body))
    if draw(st.booleans()):
        lines.append(draw(st.sampled_from(["Connection: close", "connection: keep-alive"])))
    head = f"HTTP/1.1 {status} {draw(st.sampled_from(['', 'OK', 'Not Found']))}\r\n"
    interim = b"HTTP/1.1 100 Continue\r\n\r\n" * draw(st.integers(0, 2))
    return interim + (head + "".join(f"{line}\r\n" for line in draw(st.permutations(lines))) + "\r\n").encode() + body


@st.composite
def chunked(draw: st.DrawFn, body: bytes) -> bytes:
    """A body in chunks."""
    found, left = b"", body
    while left:
        size = draw(st.integers(1, len(left)))
        found += f"{size:{draw(st.sampled_from('xX'))}}\r\n".encode() + left[:size] + b"\r\n"
        left = left[size:]
    return found + b"0\r\n" + draw(st.sampled_from([b"", b"X-Checksum: 1\r\n"])) + b"\r\n"


@given(valid_answers(), st.lists(st.integers(1, 40), max_size=30))
def test_a_valid_answer_is_read_as_http_client_does(sent: bytes, sizes: list[int]) -> None:
    """Status, headers, body, and whether the connection may be used again, in whatever pieces the answer comes."""
    found = read_answer(arriving(sent, iter(sizes)))
    assert (found.status, found.headers, found.body, found.is_last) == oracle(sent)


@st.composite
def damaged_answers(draw: st.DrawFn) -> bytes:
    """Valid answers of which some bytes were replaced, inserted or lost."""
    sent = draw(valid_answers())
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(sent)))
        piece = draw(st.sampled_from(PIECES))
        sent = sent[:at] + piece + sent[at + draw(st.integers(0, 3)) :]
    return sent


@given(damaged_answers())
def test_damaged_bytes_are_no_other_answer_than_http_clients(sent: bytes) -> None:
    """They are refused, or mean the same to both: this reader is the stricter one."""
    try:
        found = read(sent)
    except UnreadableAnswer:
        return
    other = oracle(sent)
    assert other is not None
    status, headers, body, will_close = other
    assert (found.status, found.headers, found.body) == (status, headers, body)
    assert found.is_last or not will_close
