"""A keep-alive HTTP connection to one endpoint."""

import select
import ssl
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from http.client import HTTPConnection, HTTPException, HTTPMessage, HTTPResponse, HTTPSConnection
from importlib.util import find_spec
from os import environ
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

CONNECT_SECONDS: Final = 1.0
ANSWER_SECONDS: Final = 2.0
"""Read timeout in seconds. Four attempts of one read fit into the ten seconds of a prediction."""

ConnectionErrors = (OSError, HTTPException)


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An HTTP response.

    Attributes:
        status: the HTTP status.
        headers: by name, case-insensitive.
        body: the body; never compressed.
    """

    status: int
    headers: HTTPMessage
    body: bytes


class KeptConnection:
    """Sends requests to one endpoint over one keep-alive connection, one at a time. Not thread-safe.

    Args:
        endpoint: scheme, host and port, as botocore resolves them. HTTPS is verified against the certificates that
            botocore trusts, or those of ``AWS_CA_BUNDLE``. Proxies are not supported.
    """

    def __init__(self, endpoint: str) -> None:
        self._parts = urlsplit(endpoint)
        self.host = self._parts.netloc.lower()

    @cached_property
    def _connection(self) -> HTTPConnection:
        """Created at the first request, because loading the certificates would slow the cold start."""
        host, port = self._parts.hostname or "", self._parts.port
        connection = HTTPConnection(host, port, timeout=CONNECT_SECONDS)
        if self._parts.scheme == "https":
            trusted = ssl.create_default_context(cafile=environ.get("AWS_CA_BUNDLE") or _botocore_bundle())
            connection = HTTPSConnection(host, port, timeout=CONNECT_SECONDS, context=trusted)
        weakref.finalize(self, connection.close)
        return connection

    def send(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str], seconds: float = ANSWER_SECONDS
    ) -> HttpAnswer:
        """Send a request and read the whole response.

        Args:
            method: the HTTP method.
            path: the path as it is sent.
            body: the body.
            headers: the headers, except those of the body's length and coding.
            seconds: the longest wait for a connection, and for each piece of the answer.

        Raises:
            OSError, HTTPException: one of ``ConnectionErrors``; the next request then opens a new connection.
        """
        try:
            self._open(seconds)
            self._connection.sock.sendall(_head(method, path, headers, len(body)) + body)
            return self._answer(method)
        except BaseException:  # the rest of a half-read response must not be taken for the next one
            self._connection.close()
            raise

    def _answer(self, method: str) -> HttpAnswer:
        response = HTTPResponse(self._connection.sock, method=method)
        response.begin()
        answer = HttpAnswer(response.status, response.headers, response.read())
        if response.will_close:
            self._connection.close()
        return answer

    def _open(self, seconds: float) -> None:
        if self._connection.sock is not None and not _is_idle(self._connection):
            self._connection.close()
        if self._connection.sock is None:
            self._connection.timeout = min(seconds, CONNECT_SECONDS)
            self._connection.connect()
        self._connection.sock.settimeout(seconds)


def _botocore_bundle() -> str:
    """The certificates that botocore trusts; found without importing it."""
    found = find_spec("botocore")
    if found is None or found.origin is None:
        raise OSError("botocore is not installed, so there are no certificates to trust")
    return str(Path(found.origin).with_name("cacert.pem"))


def _head(method: str, path: str, headers: Mapping[str, str], length: int) -> bytes:
    """The request's head. It is sent in one packet with the body; ``HTTPConnection.request`` would send two."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"{method} {path} HTTP/1.1\r\n{lines}accept-encoding: identity\r\ncontent-length: {length}\r\n\r\n"
    return head.encode("ascii")


def _is_idle(connection: HTTPConnection) -> bool:
    """Whether no data waits between two requests; if there is some, the server has closed the connection."""
    waiting = select.poll()
    waiting.register(connection.sock, select.POLLIN)
    return not waiting.poll(0)
