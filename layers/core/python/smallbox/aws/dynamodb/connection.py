"""A keep-alive HTTP connection to one endpoint."""

import select
import ssl
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from http.client import HTTPConnection, HTTPException, HTTPMessage, HTTPResponse, HTTPSConnection
from os import environ
from typing import Final
from urllib.parse import urlsplit

from botocore.httpsession import get_cert_path

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
    """Sends POST requests to one endpoint over one keep-alive connection, one at a time. Not thread-safe.

    Args:
        endpoint: scheme, host and port, as botocore resolves them. HTTPS is verified against the certificates that
            botocore trusts, or those of ``AWS_CA_BUNDLE``. Proxies are not supported.
        answer_seconds: the read timeout.
    """

    def __init__(self, endpoint: str, answer_seconds: float = ANSWER_SECONDS) -> None:
        self._answer_seconds = answer_seconds
        self._parts = urlsplit(endpoint)
        self.host = self._parts.netloc.lower()

    @cached_property
    def _connection(self) -> HTTPConnection:
        """Created at the first request, because loading the certificates would slow the cold start."""
        host, port = self._parts.hostname or "", self._parts.port
        connection = HTTPConnection(host, port, timeout=CONNECT_SECONDS)
        if self._parts.scheme == "https":
            trusted = ssl.create_default_context(cafile=environ.get("AWS_CA_BUNDLE") or get_cert_path(True))
            connection = HTTPSConnection(host, port, timeout=CONNECT_SECONDS, context=trusted)
        weakref.finalize(self, connection.close)
        return connection

    def post(self, body: bytes, headers: Mapping[str, str]) -> HttpAnswer:
        """Send a request and read the whole response.

        Raises:
            OSError, HTTPException: one of ``ConnectionErrors``; the next request then opens a new connection.
        """
        try:
            self._open()
            self._connection.sock.sendall(_head(headers, len(body)) + body)
            return self._answer()
        except BaseException:  # the rest of a half-read response must not be taken for the next one
            self._connection.close()
            raise

    def _answer(self) -> HttpAnswer:
        response = HTTPResponse(self._connection.sock, method="POST")
        response.begin()
        answer = HttpAnswer(response.status, response.headers, response.read())
        if response.will_close:
            self._connection.close()
        return answer

    def _open(self) -> None:
        if self._connection.sock is not None:
            if _is_idle(self._connection):
                return
            self._connection.close()
        self._connection.connect()
        self._connection.sock.settimeout(self._answer_seconds)


def _head(headers: Mapping[str, str], length: int) -> bytes:
    """The request's head. It is sent in one packet with the body; ``HTTPConnection.request`` would send two."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST / HTTP/1.1\r\n{lines}accept-encoding: identity\r\ncontent-length: {length}\r\n\r\n".encode("ascii")


def _is_idle(connection: HTTPConnection) -> bool:
    """Whether no data waits between two requests; if there is some, the server has closed the connection."""
    waiting = select.poll()
    waiting.register(connection.sock, select.POLLIN)
    return not waiting.poll(0)
