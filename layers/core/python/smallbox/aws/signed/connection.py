"""A keep-alive HTTP connection to one endpoint."""

import select
import socket
import ssl
import weakref
from collections.abc import Mapping
from functools import cached_property
from importlib.util import find_spec
from os import environ
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from smallbox.aws.signed.answers import HttpAnswer, read_answer

CONNECT_SECONDS: Final = 1.0
ANSWER_SECONDS: Final = 2.0
"""Read timeout in seconds. Four attempts of one read fit into the ten seconds of a prediction."""

_PORTS: Final = {"http": 80, "https": 443}


class KeptConnection:
    """Sends requests to one endpoint over one keep-alive connection, one at a time. Not thread-safe.

    Args:
        endpoint: scheme, host and port, as botocore resolves them. HTTPS is verified against the certificates that
            botocore trusts, or those of ``AWS_CA_BUNDLE``. Proxies are not supported.
    """

    def __init__(self, endpoint: str) -> None:
        self._parts = urlsplit(endpoint)
        self._socket: socket.socket | None = None
        self._closing = weakref.finalize(self, lambda: None)
        self._seconds = 0.0
        self.host = self._parts.netloc.lower()

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """Created at the first request, because loading the certificates would slow the cold start."""
        return ssl.create_default_context(cafile=environ.get("AWS_CA_BUNDLE") or _botocore_bundle())

    def send(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str], seconds: float = ANSWER_SECONDS
    ) -> HttpAnswer:
        """Send a request and read the whole response.

        Args:
            method: ``GET`` or ``POST``.
            path: the path as it is sent.
            body: the body.
            headers: the headers, except those of the body's length and coding.
            seconds: the longest wait for a connection, and for each piece of the answer.

        Raises:
            OSError: no connection, no answer in time, or one that cannot be read; the next request then opens a new
                connection.
        """
        try:
            connection = self._opened(seconds)
            connection.sendall(_head(method, path, headers, len(body)) + body)
            answer = read_answer(connection.recv)
        except BaseException:  # the rest of a half-read response must not be taken for the next one
            self._close()
            raise
        if answer.is_last:
            self._close()
        return answer

    def _opened(self, seconds: float) -> socket.socket:
        """The connection; a new one unless the last can be used again."""
        if self._socket is not None and not _is_idle(self._socket):
            self._close()
        if self._socket is None:
            self._socket = self._connected(min(seconds, CONNECT_SECONDS))
            self._seconds = 0.0
            self._closing = weakref.finalize(self, self._socket.close)
        if self._seconds != seconds:
            self._socket.settimeout(seconds)
            self._seconds = seconds
        return self._socket

    def _connected(self, seconds: float) -> socket.socket:
        scheme, host = self._parts.scheme, self._parts.hostname or ""
        connection = socket.create_connection((host, self._parts.port or _PORTS[scheme]), seconds)
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return self._tls.wrap_socket(connection, server_hostname=host) if scheme == "https" else connection
        except BaseException:
            connection.close()
            raise

    def _close(self) -> None:
        self._closing()
        self._socket = None


def _botocore_bundle() -> str:
    """The certificates that botocore trusts; found without importing it."""
    found = find_spec("botocore")
    if found is None or found.origin is None:
        raise OSError("botocore is not installed, so there are no certificates to trust")
    return str(Path(found.origin).with_name("cacert.pem"))


def _head(method: str, path: str, headers: Mapping[str, str], length: int) -> bytes:
    """The request's head. It is sent in one packet with the body."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"{method} {path} HTTP/1.1\r\n{lines}accept-encoding: identity\r\ncontent-length: {length}\r\n\r\n"
    return head.encode("ascii")


def _is_idle(connection: socket.socket) -> bool:
    """Whether no data waits between two requests; if there is some, the server has closed the connection."""
    waiting = select.poll()
    waiting.register(connection, select.POLLIN)
    return not waiting.poll(0)
