"""Calls ASGI applications in this process: no server, no sockets and no HTTP parser take part."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

Application = Callable[..., Awaitable[None]]


class Caller:
    """Sends requests to one path of an application, between its start-up and its shut-down."""

    def __init__(self, app: Application, path: str) -> None:
        self._app, self._path = app, path

    async def post(self, body: bytes) -> bytes:
        """The body of the answer; raises when its status is not 200."""
        sent: list[Mapping[str, Any]] = []
        received = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def receive() -> Mapping[str, Any]:
            return next(received, {"type": "http.disconnect"})

        async def send(message: Mapping[str, Any]) -> None:
            sent.append(message)

        await self._app(self._scope(len(body)), receive, send)
        answer = b"".join(message.get("body", b"") for message in sent)
        if sent[0]["status"] != 200:
            raise RuntimeError(answer.decode())
        return answer

    def _scope(self, length: int) -> dict[str, Any]:
        headers = [
            (b"host", b"127.0.0.1"), (b"content-type", b"application/json"), (b"content-length", b"%d" % length),
        ]  # fmt: skip
        return {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
            "path": self._path, "raw_path": self._path.encode(), "query_string": b"", "root_path": "",
            "headers": headers, "client": ("192.0.2.1", 1234), "server": ("127.0.0.1", 80), "state": {},
        }  # fmt: skip


async def start_up(app: Application) -> "asyncio.Task[None]":
    """Run the start-up of an application; the task that waits for its shut-down."""
    loop, done = asyncio.get_running_loop(), asyncio.Event()
    replies: list[Mapping[str, Any]] = []

    async def receive() -> Mapping[str, Any]:
        if not replies:
            return {"type": "lifespan.startup"}
        return await loop.create_future()  # type: ignore[no-any-return] # until it is cancelled

    async def send(message: Mapping[str, Any]) -> None:
        replies.append(message)
        done.set()

    async def run() -> None:
        await app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, receive, send)

    running = loop.create_task(run())
    await done.wait()
    if replies[0]["type"] != "lifespan.startup.complete":
        raise RuntimeError(str(replies[0]))
    return running


def json_body(document: Any) -> bytes:
    """A request's body."""
    return json.dumps(document).encode()
