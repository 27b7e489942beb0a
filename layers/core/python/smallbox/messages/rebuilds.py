"""What can be asked of a rebuild, as messages of its queue.

    {"source"}                              every record
    {"source", "digests": {key: digest}}    records that the stream could not add; or that are known only later
    {"source", "received_at", "after"}      what a dropped file brought
    {"source", "due": true}                 what was too far ahead for the states when it came, and no longer is
    {"source", "set_aside": [[view, entity]]}   states that did not fit into their items

A message is small however many records it names: those of a file are found in the lake, by the commits since before
it was loaded and by when it was received.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from smallbox.messages.encoded import Message
from smallbox.messages.split import MESSAGE_BYTES
from smallbox.ports import StateKey
from smallbox.times import MINUTE, Micros

LATER_DELAY: Final[Micros] = 5 * MINUTE
"""How long a request waits that found a correction which is known only later."""

STATES_PER_MESSAGE: Final = 100

_DIGEST_BYTES: Final = 40
_ENVELOPE_BYTES: Final = 1_000


@dataclass(frozen=True, slots=True)
class RebuildRequest:
    """Asks for all states that these records touch, in any of their versions, to be rebuilt from the lake.

    Attributes:
        source: the records' source.
        digests: what each record said, by key; the lake decides what counts.
    """

    source: str
    digests: Mapping[str, str]

    def as_json(self) -> dict[str, Any]:
        """The request as a queue carries it."""
        return {"source": self.source, "digests": dict(self.digests)}

    @classmethod
    def from_json(cls, document: Message) -> "RebuildRequest":
        """The inverse of :meth:`as_json`."""
        return cls(document["source"], document["digests"])

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
    """Asks for the states that a dropped file touches.

    Args:
        source: its source.
        received_at: when its rows were received.
        after: the number of a commit of the source's table before the file's first; -1: there was none.
    """
    return {"source": source, "received_at": received_at, "after": after}


def rebuild_due(source: str) -> dict[str, Any]:
    """Asks for the states that want records which were too far ahead for them, and no longer are."""
    return {"source": source, "due": True}


def rebuild_set_aside(source: str, keys: Sequence[StateKey]) -> list[dict[str, Any]]:
    """Asks for states that did not fit into their items; such a message fails for as long as one still does not."""
    named = [[key.view, key.entity] for key in keys]
    starts = range(0, len(named), STATES_PER_MESSAGE)
    return [{"source": source, "set_aside": named[start : start + STATES_PER_MESSAGE]} for start in starts]
