"""``smallbox proxy``: an HTTP server on this machine that signs requests, for programs that cannot sign themselves."""

import argparse
import ipaddress
import json
import signal
import sys
from collections.abc import Iterable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from smallbox.cli import local
from smallbox.cli.connect import system_of
from smallbox.cli.output import printed
from smallbox.error_codes import policy_of, route_error_body
from smallbox.errors import InvalidInput, MalformedBody, NotReady, SmallboxError, Unavailable

if TYPE_CHECKING:
    from smallbox.cli.signed_requests import SignedHttp

_PORT: Final = 8080
_NOT_FORWARDED: Final = frozenset(
    {
        "authorization", "connection", "content-length", "host", "keep-alive", "proxy-authenticate",
        "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
    }
)  # fmt: skip
"""Headers of one connection, and those that the proxy writes itself."""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "proxy",
        help="sign the requests of programs that cannot: an HTTP server on this machine",
        epilog="It acts with your rights for every program of this machine; stop it with Ctrl-C.",
    )
    parser.add_argument("--port", type=int, default=_PORT, help="default: %(default)s; 0 takes any free one")
    parser.add_argument("--host", default="127.0.0.1", help="an address of this machine alone; default: %(default)s")
    parser.set_defaults(run=printed(_forward))


def _forward(arguments: argparse.Namespace) -> dict[str, int]:
    """Forward until it is interrupted or asked to end, which ``kill`` does; the number of answered requests."""
    stack = system_of(arguments).stack
    # by host name the emulator takes `/v2` for its registry of container images
    api = stack.http_at(local.url_by_path(stack)) if stack.context.is_local else stack.http
    with SigningProxy(api, arguments.host, arguments.port) as proxy:
        sys.stderr.write(f"{proxy.url} signs requests for {stack.api_url}; Ctrl-C stops it\n")
        sys.stderr.flush()
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with suppress(KeyboardInterrupt):
            proxy.serve_forever()
    return {"answered": proxy.answered}


class SigningProxy(ThreadingHTTPServer):
    """Forwards every request, signed; status, headers and body of the answer come back as they are.

    Args:
        api: the API, with credentials.
        host: a loopback address to listen on.
        port: the port; 0 for any free one.

    Raises:
        InvalidInput: the address is not one of this machine alone, or cannot be listened on.
    """

    daemon_threads = True

    def __init__(self, api: "SignedHttp", host: str, port: int) -> None:
        if not is_loopback(host):
            raise InvalidInput(f"--host {host}: the proxy signs for whoever reaches it; only 127.0.0.1 may be used")
        self.api = api
        self.answered = 0
        self._counting = Lock()
        try:
            super().__init__((host, port), _Handler)
        except (OSError, OverflowError) as error:
            raise InvalidInput(f"{host}:{port} cannot be listened on: {error}; choose another --port") from error

    def count(self) -> None:
        """Count a request that was forwarded and answered."""
        with self._counting:
            self.answered += 1

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{self.server_address[0]!s}:{self.server_port}"


def is_loopback(host: str) -> bool:
    """Whether an IPv4 address, or ``localhost``, reaches only this machine.

    >>> [is_loopback(host) for host in ("127.0.0.1", "localhost", "0.0.0.0", "example.org", "")]
    [True, True, False, False, False]
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.IPv4Address(host).is_loopback
    except ValueError:
        return False


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: SigningProxy

    def do_GET(self) -> None:
        """Forward a request."""
        try:
            self._check()
            answer = self.server.api.send(self.command, self.path, self._body(), dict(_kept(self.headers.items())))
        except SmallboxError as error:
            self._refuse(error)
            return
        self.server.count()
        self._answer(answer.status, answer.headers.items(), answer.data)

    do_POST = do_GET  # noqa: N815 - the name that the standard library looks for

    def _check(self) -> None:
        """Raise if the path may name another server, or if a page of a browser asks: none may act with our rights."""
        host = self.headers.get("Host", "")
        if "Origin" in self.headers or not is_loopback(host.rpartition(":")[0] or host):
            raise InvalidInput("the proxy answers programs of this machine, not web pages")
        if not self.path.startswith("/"):
            raise InvalidInput("the proxy answers paths, like /status")

    def _body(self) -> bytes | None:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not (length.isascii() and length.isdigit()):
            self.close_connection = True
            raise MalformedBody("send the body with a Content-Length")
        return self.rfile.read(int(length)) if int(length) else None

    def _refuse(self, error: SmallboxError) -> None:
        # a body that was not read would be taken for the next request
        self.close_connection = True
        if isinstance(error, Unavailable):
            error = NotReady(f"{error.message}; is the system running? see `smallbox status`")
        body = json.dumps(route_error_body(error, self.path)).encode()
        self._answer(policy_of(error).status, [("Content-Type", "application/json")], body)

    def _answer(self, status: int, headers: Iterable[tuple[str, str]], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in _kept(headers):
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing: requests may hold personal values."""


def _kept(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(n, v) for n, v in headers if n.lower() not in _NOT_FORWARDED and not n.lower().startswith("x-amz-")]
