"""A document table in memory."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from smallbox.errors import Conflict
from smallbox.times import Micros


class FakeDocuments:
    """The ``Documents`` port over a dict of JSON texts, so that only what is JSON comes back."""

    def __init__(self) -> None:
        self._texts: dict[tuple[str, str], str] = {}
        self._revisions: dict[tuple[str, str], int] = {}

    def get(self, partition: str, sort: str, within: Micros | None = None) -> Mapping[str, Any] | None:
        at = (partition, sort)
        return self._read(at) if at in self._texts else None

    def query(self, partition: str, prefix: str = "") -> Sequence[Mapping[str, Any]]:
        return [self._read(at) for at in sorted(self._texts) if at[0] == partition and at[1].startswith(prefix)]

    def put(self, partition: str, sort: str, document: Mapping[str, Any]) -> None:
        self._write((partition, sort), document, None)

    def put_new(self, partition: str, sort: str, document: Mapping[str, Any]) -> None:
        if (partition, sort) in self._texts:
            raise Conflict(f"{partition} {sort} is there already")
        self.put(partition, sort, document)

    def swap(self, partition: str, sort: str, document: Mapping[str, Any], revision: int) -> None:
        at = (partition, sort)
        # A document that was put has no revision, so neither 0 (nothing there) nor any number is its own.
        found = self._revisions.get(at) if at in self._texts else 0
        if found != revision:
            raise Conflict(f"{partition} {sort} is at revision {found}, not {revision}")
        self._write(at, document, revision + 1)

    def _read(self, at: tuple[str, str]) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self._texts[at])
        return document | ({"revision": self._revisions[at]} if at in self._revisions else {})

    def _write(self, at: tuple[str, str], document: Mapping[str, Any], revision: int | None) -> None:
        self._texts[at] = json.dumps({name: value for name, value in document.items() if name != "revision"})
        self._revisions.pop(at, None)
        if revision is not None:
            self._revisions[at] = revision
