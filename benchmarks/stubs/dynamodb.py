"""A DynamoDB table in a process of its own, so that a benchmark measures the client's processor time alone.

It keeps what is put, refuses nothing, and counts calls and capacity units as AWS's price page does: a read unit is
4 KiB read consistently, a write unit 1 KiB, and a transaction writes twice.
"""

import json
import math
import multiprocessing
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.request import Request, urlopen

READ_UNIT, WRITE_UNIT = 4096, 1024
COUNTS = "/counts"


class Table:
    """The items, and what was asked for since the last look."""

    def __init__(self) -> None:
        self._items: dict[str, Any] = {}
        self._counts: Counter[str] = Counter()

    def answer(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """Answer one request."""
        self._counts[operation] += 1
        return self._read(request) if operation == "BatchGetItem" else self._write(request)

    def counts(self) -> dict[str, int]:
        """The counts since the last call."""
        counts, self._counts = dict(self._counts), Counter()
        return counts

    def _read(self, request: Mapping[str, Any]) -> dict[str, Any]:
        ((name, asked),) = request["RequestItems"].items()
        keys = [key["pk"]["S"] for key in asked["Keys"]]
        found = [self._items[key] for key in keys if key in self._items]
        missed = len(keys) - len(found)
        self._counts["read_units"] += missed + sum(math.ceil(_bytes(item) / READ_UNIT) for item in found)
        return {"Responses": {name: found}, "UnprocessedKeys": {}}

    def _write(self, request: Mapping[str, Any]) -> dict[str, Any]:
        for put in request["TransactItems"]:
            item = put["Put"]["Item"]
            self._items[item["pk"]["S"]] = item
            kind = "marker" if "digest" in item else "state"
            self._counts[f"{kind}_writes"] += 1
            self._counts[f"{kind}_write_units"] += 2 * math.ceil(_bytes(item) / WRITE_UNIT)
        return {}


def _bytes(item: Mapping[str, Mapping[str, str]]) -> int:
    """About the size of an item: its names and its values; three bytes of a binary value are four of base64."""
    values = ((kind, value) for one in item.values() for kind, value in one.items())
    return sum(map(len, item)) + sum(len(value) * 3 // 4 if kind == "B" else len(value) for kind, value in values)


def _serve(opened: Any) -> None:
    table = Table()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            operation = self.headers.get("x-amz-target", "").rpartition(".")[2]
            answer = json.dumps(table.counts() if self.path == COUNTS else table.answer(operation, body)).encode()
            self.send_response(200)
            self.send_header("content-type", "application/x-amz-json-1.0")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    opened.send(server.server_address[1])
    server.serve_forever()


class StubbedTable:
    """A running table; see the module."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"

    def counts(self) -> dict[str, int]:
        """What was asked for since the last call, by operation and unit."""
        with urlopen(Request(self.url + COUNTS, b"{}")) as answer:  # noqa: S310 our own process
            counts: dict[str, int] = json.load(answer)
        return counts


@contextmanager
def stubbed_table() -> Iterator[StubbedTable]:
    """Run a table, with AWS's settings for it in the environment."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    table = StubbedTable(ours.recv())
    os.environ |= {
        "AWS_ENDPOINT_URL_DYNAMODB": table.url, "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "s" * 40, "AWS_SESSION_TOKEN": "t" * 900,
    }  # fmt: skip
    try:
        yield table
    finally:
        process.kill()
