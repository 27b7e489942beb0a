"""A record: what a source sends, after its contract has accepted it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from smallbox.times import Micros

COMPACT_JSON: Final = json.JSONEncoder(separators=(",", ":"), check_circular=False)
"""How a record is written where only machines read it. Made once: ``json.dumps`` makes one for each record."""

Value = str | float | int | bool | None

Channel = Literal["online", "batch"]
"""How predictions were asked for: a request over HTTPS, or a file."""

CHANNELS: Final[tuple[Channel, ...]] = ("online", "batch")


def digest_of(content: bytes) -> str:
    """The digest of what a record says: its source and its values by name, in order, as compact JSON."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class Record:
    """One accepted record.

    Attributes:
        source: the name of its source.
        key: what it is about; a later record with the same key corrects it.
        time: its event time.
        known_at: when it became known; see ``Source.known_after``.
        received_at: when Smallbox received it.
        values: the contract's fields by name; a timestamp is an ``int`` of microseconds.
    """

    source: str
    key: str
    time: Micros
    known_at: Micros
    received_at: Micros
    values: Mapping[str, Value]

    @property
    def digest(self) -> str:
        """What it says, as 32 hexadecimal digits: equal for equal values, whenever they were received."""
        return digest_of(COMPACT_JSON.encode([self.source, dict(sorted(self.values.items()))]).encode())

    def as_json(self) -> dict[str, Any]:
        """The record as a queue carries it."""
        return {
            "source": self.source,
            "key": self.key,
            "time": self.time,
            "known_at": self.known_at,
            "received_at": self.received_at,
            "values": dict(self.values),
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Record":
        """The inverse of :meth:`as_json`.

        >>> record = Record("weather", "k", 1, 2, 3, {"id": "k"})
        >>> Record.from_json(record.as_json()) == record
        True
        """
        return cls(**document)


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a record was not accepted.

    Attributes:
        index: where it stood in its array or file, from 0, without a header.
        field: the field that breaks the rule; empty when it is the whole record.
        rule: the broken rule, as a short fixed word like ``required`` or ``maximum``.
        message: one sentence for the sender; it shows no personal value.
        record: what was sent, as it was sent.
        value: the value that breaks the rule, short: ``'hello'``, ``1048.4``, ``null``, ``missing``, ``an array``;
            ``hidden`` when it is personal, empty when the rule is about no value.
        line: the line of its file on which it begins, from 1; ``None`` where there are no lines.
    """

    index: int
    field: str
    rule: str
    message: str
    record: Any
    value: str = ""
    line: int | None = None

    def as_json(self) -> dict[str, Any]:
        """What the sender gets to see."""
        said = {"field": self.field, "rule": self.rule, "value": self.value, "message": self.message}
        return {"index": self.index, **({} if self.line is None else {"line": self.line}), **said}
