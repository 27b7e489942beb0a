"""The small ports in memory: blobs, a queue, a meter, a workflow."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO

from smallbox.errors import Conflict, NotStored
from smallbox.messages.encoded import text_of
from smallbox.ports import StoredObject
from smallbox.records import Cause
from smallbox.times import SECOND, Micros


class FakeBlobs:
    """The ``Blobs`` port over a dict."""

    def __init__(self, now: Micros = 0) -> None:
        self.objects: dict[str, bytes] = {}
        self.now = now
        self._stored_at: dict[str, Micros] = {}

    def get(self, key: str) -> bytes:
        if key not in self.objects:
            raise NotStored(f"there is no object {key!r}", key=key)
        return self.objects[key]

    def download(self, key: str, into: BinaryIO) -> StoredObject:
        content = self.get(key)
        into.write(content)
        into.seek(0)
        return StoredObject(self._stored_at[key], hashlib.md5(content, usedforsecurity=False).hexdigest())

    def put(self, key: str, content: bytes) -> None:
        self.objects[key] = content
        self._stored_at[key] = self.now // SECOND * SECOND

    def put_new(self, key: str, content: bytes) -> None:
        if key in self.objects:
            raise Conflict(f"there is an object {key!r}", key=key)
        self.put(key, content)

    def upload(self, key: str, content: BinaryIO) -> None:
        self.put(key, content.read())

    def delete(self, key: str) -> None:
        self.objects.pop(key, None)

    def list(self, prefix: str) -> Sequence[str]:
        return sorted(key for key in self.objects if key.startswith(prefix))


class FakeQueue:
    """The ``Queue`` port over a list: what is sent goes through JSON, as it would."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []

    def send(self, messages: Sequence[Mapping[str, Any]], delay: Micros = 0, within: Micros | None = None) -> None:
        self.messages += [json.loads(text_of(m)) for m in messages]

    def take(self) -> list[dict[str, Any]]:
        """All messages that wait, which then wait no longer."""
        taken, self.messages = self.messages, []
        return taken


class FakeMeter:
    """The ``Meter`` port: keeps what was published."""

    def __init__(self) -> None:
        self.published: list[tuple[dict[str, float], dict[str, str]]] = []

    def publish(self, figures: Mapping[str, float], dimensions: Mapping[str, str]) -> None:
        self.published.append((dict(figures), dict(dimensions)))


class FakeNotices:
    """The ``Notices`` port: keeps what people were told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []

    def tell(self, subject: str, text: str) -> None:
        self.told.append((subject, text))


class FakeFailureLog:
    """The ``FailureLog`` port: keeps what it was told."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, int, Exception]] = []
        self.causes: list[tuple[str, Cause, int]] = []
        self.unlimited_answers: list[tuple[str, int]] = []
        self.lost_rows: list[tuple[str, int]] = []

    def degraded(self, model: str, cause: Cause, answers: int, why: Exception | None = None) -> None:
        self.causes.append((model, cause, answers))
        if cause == "prior":
            assert why is not None
            self.kept.append((model, answers, why))

    def unlimited(self, model: str, answers: int, why: Exception | None = None) -> None:
        self.unlimited_answers.append((model, answers))

    def lost(self, model: str, rows: int) -> None:
        self.lost_rows.append((model, rows))


class FakeWorkflow:
    """The ``Workflow`` port: keeps what was started, each name once."""

    def __init__(self) -> None:
        self.started: dict[str, Mapping[str, Any]] = {}

    def start(self, name: str, document: Mapping[str, Any]) -> str:
        self.started.setdefault(name, json.loads(json.dumps(document)))
        return name


def still() -> Micros:
    """A clock for time budgets that stands still: no time passes in a test that does not say so."""
    return 0
