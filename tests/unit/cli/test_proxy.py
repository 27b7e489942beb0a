"""Proves that the signing proxy forwards what it is sent, signed, returns what is answered, and serves nobody else."""

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from botocore.credentials import Credentials

from smallbox.cli import main
from smallbox.cli.checkout import MARK
from smallbox.cli.proxy import SigningProxy
from smallbox.cli.signed_requests import SignedHttp
from smallbox.errors import InvalidInput
from tests.fakes.signing import SigningServer


class _Recorder(BaseHTTPRequestHandler):
    """Keeps what it was sent, and answers 418 with a header and bytes."""

    protocol_version = "HTTP/1.1"
    heard: list[tuple[str, str, dict[str, str], bytes]]

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.heard.append((self.command, self.path, headers, body))
        self.send_response(418)
        self.send_header("X-Own", "kept")
        self.send_header("Content-Length", "3")
        self.end_headers()
        self.wfile.write(b"\x00\xff\n")

    do_POST = do_GET  # noqa: N815 - the name that the standard library looks for

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def _serving(server: ThreadingHTTPServer) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _signed(api: str) -> SignedHttp:
    return SignedHttp(api, "eu-central-1", Credentials("somebody", "a secret"))


def _proxy(api: str) -> SigningProxy:
    return SigningProxy(_signed(api), "127.0.0.1", 0)


@pytest.fixture
def recorded() -> Iterator[tuple[http.client.HTTPConnection, list[tuple[str, str, dict[str, str], bytes]]]]:
    """A connection to a proxy of an API, and what the API heard."""
    heard: list[tuple[str, str, dict[str, str], bytes]] = []
    api = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Recorder,), {"heard": heard}))
    with _serving(api) as port, _serving(_proxy(f"http://127.0.0.1:{port}/base")) as own:
        connection = http.client.HTTPConnection("127.0.0.1", own, timeout=10)
        yield connection, heard
        connection.close()


def test_a_request_and_its_answer_are_passed_on(recorded: Any) -> None:
    """Method, path, query, headers and any bytes one way; status, headers and any bytes back; on one connection."""
    connection, heard = recorded
    sent = {"Inference-Header-Content-Length": "2", "Authorization": "their own", "X-Amz-Date": "their own"}
    for method, path, body in (("POST", "/v2/models/m/infer?a=b", b"{}\xff"), ("GET", "/v2", None)):
        connection.request(method, path, body, sent)
        answer = connection.getresponse()
        assert (answer.status, answer.headers["X-Own"], answer.read()) == (418, "kept", b"\x00\xff\n")
        method_heard, path_heard, headers, body_heard = heard[-1]
        assert (method_heard, path_heard, body_heard) == (method, f"/base{path}", body or b"")
        assert headers["inference-header-content-length"] == "2"
        assert headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=somebody/")
        assert headers["x-amz-date"] != "their own"
        assert "content-type" not in headers, "a body without a type arrives without one"


def test_what_is_forwarded_is_signed_as_aws_asks() -> None:
    """The API of this test knows the secret, and takes the signature for that of the request."""
    with SigningServer("eu-central-1", "somebody", "a secret").running() as api, _serving(_proxy(api.url)) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("POST", "/events/x?as_of=2013%2B1&b=", b"[]", {"Content-Type": "application/json"})
        assert json.load(connection.getresponse()) == {"signed": True}
        connection.close()


@pytest.mark.parametrize(
    ("headers", "path", "said"),
    [
        ({"Origin": "https://example.org"}, "/status", "not web pages"),
        ({"Origin": "null"}, "/status", "not web pages"),
        ({"Host": "example.org"}, "/status", "not web pages"),
        ({"Host": "example.org:8080"}, "/status", "not web pages"),
        ({"Transfer-Encoding": "chunked"}, "/status", "Content-Length"),
        ({}, "@example.org/", "paths"),
        ({"Host": "127.0.0.1"}, "http://example.org/", "paths"),
    ],
)
def test_what_a_web_page_may_have_sent_is_refused(recorded: Any, headers: dict[str, str], path: str, said: str) -> None:
    """A page knows neither our name nor hides its own; and a path can name no other server. Nothing is forwarded."""
    connection, heard = recorded
    connection.putrequest("POST", path, skip_host="Host" in headers)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    assert (answer.status, said in json.load(answer)["error"]["message"]) == (400, True)
    assert heard == []


def test_without_the_system_a_request_is_told() -> None:
    """503 in the form that the route's clients read, and the sentence says what to look at."""
    with _serving(ThreadingHTTPServer(("127.0.0.1", 0), _Recorder)) as port:
        gone = f"http://127.0.0.1:{port}"
    with _serving(_proxy(gone)) as own:
        for path in ("/status", "/v2"):
            connection = http.client.HTTPConnection("127.0.0.1", own, timeout=10)
            connection.request("GET", path)
            answer = connection.getresponse()
            error = json.load(answer)["error"]
            assert answer.status == 503
            assert "is the system running?" in (error if path == "/v2" else error["message"])
            connection.close()


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.org", ""])  # noqa: S104 - it is refused
def test_only_this_machine_may_be_listened_on(host: str) -> None:
    """The proxy acts with its owner's rights, so no other machine may reach it."""
    with pytest.raises(InvalidInput, match=r"only 127\.0\.0\.1"):
        SigningProxy(_signed("http://127.0.0.1:1"), host, 0)


def test_a_port_that_is_taken_is_told() -> None:
    """One line, not a stack trace."""
    with _serving(_proxy("http://127.0.0.1:1")) as port, pytest.raises(InvalidInput, match="choose another --port"):
        SigningProxy(_signed("http://127.0.0.1:1"), "127.0.0.1", port)


def test_without_a_stack_the_command_says_what_to_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It does not listen before there is something to forward to."""
    (tmp_path / MARK).touch()
    monkeypatch.chdir(tmp_path)
    assert main.main(["proxy", "--port", "0"]) == 1
    assert "smallbox up" in capsys.readouterr().err
