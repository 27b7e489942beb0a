"""DynamoDB, SQS and S3 as benchmarks/serving needs them: a program that answers on this machine until it is killed.

``python stores.py FOLDER CORE`` prints its port. It runs in a process of its own, so that the processor time of a
measured process is that process's alone, however it sends its requests. A state of any entity is that of its view.
"""

import base64
import hashlib
import json
import os
import socket
import sys
import threading
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

JSON_1_0 = "application/x-amz-json-1.0"
Answer = tuple[int, str, bytes]
"""Status, content type and body."""


class Stores:
    """The answers.

    Args:
        folder: has ``documents.json``, the items of the registry's table by ``pk|sk``; ``states.json``, a packed state
            in base64 by the beginning of its key; and ``objects``, the files of the bucket.
    """

    def __init__(self, folder: Path) -> None:
        self._documents: Mapping[str, Any] = json.loads((folder / "documents.json").read_text())
        self._states: Mapping[str, str] = json.loads((folder / "states.json").read_text())
        self._objects = folder / "objects"

    def answer(self, path: str, target: str, body: bytes) -> Answer:
        """The answer to a request; ``target`` is its ``x-amz-target``, empty for S3."""
        if not target:
            key = path.partition("?")[0].split("/", 2)[2]
            return 200, "application/octet-stream", (self._objects / key).read_bytes()
        operation = target.rpartition(".")[2]
        found = json.dumps(getattr(self, f"_{operation}")(json.loads(body)), separators=(",", ":"))
        return 200, JSON_1_0, found.encode()

    def _GetItem(self, asked: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802 - the names of operations
        found = self._item(asked["Key"])
        return {} if found is None else {"Item": found}

    def _BatchGetItem(self, asked: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802
        tables = {
            table: [item for key in wanted["Keys"] if (item := self._item(key)) is not None]
            for table, wanted in asked["RequestItems"].items()
        }
        return {"Responses": tables, "UnprocessedKeys": {}}

    def _item(self, key: Mapping[str, Any]) -> dict[str, Any] | None:
        if "sk" in key:
            item: dict[str, Any] | None = self._documents.get(f"{key['pk']['S']}|{key['sk']['S']}")
            return item
        packed = self._states[key["pk"]["S"].rpartition("#")[0]]
        return {"pk": key["pk"], "packed": {"B": packed}, "version": {"N": "2000"}}

    def _SendMessage(self, asked: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802
        return {"MessageId": "m" * 36, "MD5OfMessageBody": _md5(asked["MessageBody"])}

    def _SendMessageBatch(self, asked: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802
        return {"Successful": [{"Id": one["Id"], **self._SendMessage(one)} for one in asked["Entries"]], "Failed": []}


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def head_of(status: int, kind: str, body: bytes) -> bytes:
    """The head of an answer, as long as AWS's."""
    headers = {
        "Server": "Server", "Date": "Sat, 01 Aug 2026 10:00:00 GMT", "Content-Type": kind,
        "Content-Length": len(body), "Connection": "keep-alive", "x-amzn-RequestId": "R" * 52,
    }  # fmt: skip
    if kind == JSON_1_0:
        headers["x-amz-crc32"] = zlib.crc32(body)
    return (f"HTTP/1.1 {status} OK\r\n" + "".join(f"{n}: {v}\r\n" for n, v in headers.items()) + "\r\n").encode()


def _request(lines: BinaryIO) -> tuple[str, str, bytes] | None:
    """Path, target and body of the next request; ``None`` when the connection ended."""
    first = lines.readline().decode()
    if not first:
        return None
    headers: dict[str, str] = {}
    while (line := lines.readline().decode()) not in ("\r\n", ""):
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = lines.read(int(headers.get("content-length", 0)))
    return first.split(" ")[1], headers.get("x-amz-target", ""), body


def _answer_all(connection: socket.socket, stores: Stores) -> None:
    with connection, connection.makefile("rb") as lines:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while (request := _request(lines)) is not None:
            answer = stores.answer(*request)
            connection.sendall(head_of(*answer) + answer[2])


def main(folder: Path, core: int) -> None:
    """Answer every connection until killed."""
    os.sched_setaffinity(0, {core})
    stores = Stores(folder)
    with socket.create_server(("127.0.0.1", 0)) as server:
        print(server.getsockname()[1], flush=True)
        while True:
            connection, _ = server.accept()
            threading.Thread(target=_answer_all, args=(connection, stores), daemon=True).start()


def encoded(packed: bytes) -> str:
    """A state as ``states.json`` has it."""
    return base64.b64encode(packed).decode()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
