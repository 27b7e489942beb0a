"""A server that answers only what is signed with the right secret, which the emulator does not look at."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


@dataclass
class SigningServer:
    """Checks Signature Version 4 and keeps what it was sent.

    Attributes:
        region: where it pretends to be.
        access_key: the one caller that it knows.
        secret_key: their secret.
        heard: the method, the path and the document of each request that was signed rightly.
        url: where it answers.
    """

    region: str
    access_key: str
    secret_key: str
    heard: list[tuple[str, str, Any]] = field(default_factory=list)
    url: str = ""

    def is_signed(self, method: str, url: str, headers: Any, body: bytes) -> bool:
        """Whether the authorization is the one that this request, at its own time, asks for."""
        date, given = headers.get("X-Amz-Date", ""), headers.get("Authorization", "")
        signer = SigV4Auth(Credentials(self.access_key, self.secret_key), "execute-api", self.region)
        request = AWSRequest(method, url, {"Content-Type": headers.get("Content-Type", "")}, body)
        request.headers["X-Amz-Date"] = request.context["timestamp"] = date
        text = signer.string_to_sign(request, signer.canonical_request(request))
        return bool(given) and given.endswith(f"Signature={signer.signature(text, request)}")

    @contextmanager
    def running(self) -> Iterator["SigningServer"]:
        """The server for the time of a block."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def _handler(outer: SigningServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            signed = outer.is_signed(self.command, outer.url + self.path, self.headers, body)
            if signed:
                outer.heard.append((self.command, self.path, json.loads(body)))
            answer = json.dumps({"signed": signed}).encode()
            self.send_response(200 if signed else 403)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            pass

    return Handler
