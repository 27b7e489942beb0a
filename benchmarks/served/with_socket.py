"""One round trip to the stores on a kept connection, unsigned and unparsed: what the kernel alone costs here."""

import os
import socket
from collections.abc import Callable, Mapping
from typing import Any


def load(folder: str, model: str) -> Callable[[Any], Any]:
    """The round trip."""
    del folder, model
    host, _, port = os.environ["AWS_ENDPOINT_URL"].rpartition("/")[2].partition(":")
    connection = socket.create_connection((host, int(port)))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(request: bytes) -> bytes:
        connection.sendall(request)
        return connection.recv(65_536)

    return ask


def request_of(row: Mapping[str, Any], model: str) -> bytes:
    """A request for the routing."""
    del row, model
    body = b'{"TableName":"registry","Key":{"pk":{"S":"model#plain"},"sk":{"S":"routing"}}}'
    head = f"POST / HTTP/1.1\r\nx-amz-target: DynamoDB_20120810.GetItem\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


def output_of(answer: bytes) -> float:
    """Nothing was scored."""
    if not answer.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(answer.decode())
    return 0.0
