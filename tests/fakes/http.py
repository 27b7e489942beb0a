"""A real HTTP server on this machine that plays DynamoDB, SQS and S3: by a script, or as moto does."""

import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from botocore.awsrequest import AWSPreparedRequest
from botocore.compat import HTTPHeaders
from moto.core.botocore_stubber import BotocoreStubber

Played = tuple[int, Mapping[str, str], bytes]
"""Status, headers and body of an answer."""

Play = Callable[["Message[str, str]", bytes], Played | None]
"""From a request's headers and body to its answer; ``None`` hangs up instead."""

HANG_UP: Final = "x-hang-up"
"""A header of an answer after which the connection is closed without a word."""

_REGION: Final = "eu-central-1"
_S3: Final = f"https://s3.{_REGION}.amazonaws.com"
_SERVICES: Final = {"DynamoDB_20120810": "dynamodb", "AmazonSQS": "sqs"}
"""The services by the first part of their targets; a request without a target is one of S3."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    play: Play


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.headers["x-path"] = self.path
        played = self.server.play(self.headers, body)
        if played is None:
            self.close_connection = True
            return
        status, headers, content = played
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        self.close_connection = self.close_connection or HANG_UP in headers

    do_GET = do_POST  # noqa: N815 - the name that the standard library looks for

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def playing(play: Play, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Serve until the end of the block, over TLS where that is given; yields the endpoint."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.play = play
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def moto(headers: "Message[str, str]", body: bytes) -> Played:
    """What moto's services of this process answer."""
    service = _SERVICES.get((headers["x-amz-target"] or "").partition(".")[0])
    method, url = (
        ("POST", f"https://{service}.{_REGION}.amazonaws.com/") if service else ("GET", _S3 + headers["x-path"])
    )
    request = AWSPreparedRequest(method, url, _without_host(headers), body, stream_output=False)
    answered = BotocoreStubber().process_request(request)
    assert answered is not None
    status, given, content = answered
    kept = {name: str(value) for name, value in given.items() if name.lower() not in {"content-length", "connection"}}
    return status, kept, content.encode() if isinstance(content, str) else content


def _without_host(headers: "Message[str, str]") -> HTTPHeaders:
    kept = HTTPHeaders()
    for name, value in headers.items():
        if name.lower() not in {"host", "x-path"}:
            kept[name] = value
    return kept
