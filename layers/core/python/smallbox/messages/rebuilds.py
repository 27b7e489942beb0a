"""Rebuild requests as queue messages: which online states to compute again from the lake.

    {"source"}                              all states of the source's views
    {"source", "digests": {key: digest}}    the states of records that the stream could not add
    {"source", "received_at", "after"}      the states of the records of a dropped file
    {"source", "due": true}                 the states of records that were too far ahead, and are due now
    {"source", "set_aside": [[view, entity, version]]}   states that did not fit into a DynamoDB item

A message stays small however many records it is about: those of a file are found in the lake, by the commits since
before it was loaded and by the moment it was received.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from smallbox.messages.split import MESSAGE_BYTES
from smallbox.ports import StateKey
from smallbox.times import MINUTE, Micros

LATER_DELAY: Final[Micros] = 5 * MINUTE
"""The delay of a request for a correction that becomes known only later."""

STATES_PER_MESSAGE: Final = 100

_DIGEST_BYTES: Final = 40
_ENVELOPE_BYTES: Final = 1_000


@dataclass(frozen=True, slots=True)
class RebuildRequest:
    """Rebuild all states that these records change, in any of their versions.

    Attributes:
        source: the records' source.
        digests: the content hash of each record, by key. The lake decides which version is valid.
    """

    source: str
    digests: Mapping[str, str]

    def as_json(self) -> dict[str, Any]:
        """The request as a JSON message."""
        return {"source": self.source, "digests": dict(self.digests)}

    def parts(self) -> Iterator["RebuildRequest"]:
        """The request in parts that each fit into a message."""
        part: dict[str, str] = {}
        size = 0
        for key, digest in self.digests.items():
            length = len(json.dumps(key)) + _DIGEST_BYTES
            if part and size + length > MESSAGE_BYTES - _ENVELOPE_BYTES:
                yield RebuildRequest(self.source, part)
                part, size = {}, 0
            part[key] = digest
            size += length
        if part:
            yield RebuildRequest(self.source, part)


def rebuild_loaded(source: str, received_at: Micros, after: int) -> dict[str, Any]:
    """Rebuild the states that a dropped file changes.

    Args:
        source: its source.
        received_at: when its rows were received.
        after: the source's last commit before the file was loaded; -1 when there was none.
    """
    return {"source": source, "received_at": received_at, "after": after}


def rebuild_due(source: str) -> dict[str, Any]:
    """Rebuild the states of records that came too far ahead of time and are due now."""
    return {"source": source, "due": True}


def rebuild_set_aside(source: str, keys: Sequence[StateKey]) -> list[dict[str, Any]]:
    """Rebuild states that did not fit into a DynamoDB item; such a message fails as long as one still does not fit."""
    named = [[key.view, key.entity, key.version] for key in keys]
    starts = range(0, len(named), STATES_PER_MESSAGE)
    return [{"source": source, "set_aside": named[start : start + STATES_PER_MESSAGE]} for start in starts]
