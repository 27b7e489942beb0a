"""Accepted and rejected records of a source."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from smallbox.times import Micros

COMPACT_JSON: Final = json.JSONEncoder(separators=(",", ":"), check_circular=False)
"""JSON encoder without spaces. Created once, because ``json.dumps`` would create one for each record."""

Value = str | float | int | bool | None

Channel = Literal["online", "batch", "pinned"]
"""How predictions were requested: over HTTPS (``online``), by file (``batch``), or over HTTPS of a named version."""

CHANNELS: Final[tuple[Channel, ...]] = ("online", "batch")
"""The channels that are monitored, and whose labels decide. Who asks a version by its number (``pinned``) chooses the
rows that it answers, so it cannot be compared with another."""


Cause = Literal["routing", "states", "version", "limits", "prior"]
"""Why an instance was not answered as usual.

=========== =========================================================================================================
``routing`` The routing could not be read; one that was read earlier was used.
``states``  The stored features could not be read in time; they count as missing.
``version`` The version that was to answer could not be loaded or run; the one before answered.
``limits``  An output lay beyond the declared limits, and was set to the limit.
``prior``   The declared fallback answered.
=========== =========================================================================================================
"""


def digest_of(content: bytes) -> str:
    """Content hash of a record: BLAKE2b of 128 bits, as 32 hexadecimal digits.

    Args:
        content: the record's source and its values sorted by name, as compact JSON.
    """
    return hashlib.blake2b(content, digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class Record:
    """One accepted record.

    Attributes:
        source: the name of its source.
        key: identifies the record; a later record with the same key is an upsert of it.
        time: event time, microseconds.
        known_at: when it became known, microseconds; see ``Source.known_after``.
        received_at: when Smallbox received it, microseconds.
        values: values by field name; a timestamp is an ``int`` of microseconds.
    """

    source: str
    key: str
    time: Micros
    known_at: Micros
    received_at: Micros
    values: Mapping[str, Value]

    @property
    def digest(self) -> str:
        """Content hash, 32 hexadecimal digits: equal for equal source and values, whenever they were received."""
        return digest_of(COMPACT_JSON.encode([self.source, dict(sorted(self.values.items()))]).encode())

    def as_json(self) -> dict[str, Any]:
        """The record as the JSON document of a queue message."""
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
        index: position in its array or file, from 0; a header does not count.
        field: the field that breaks the rule; empty when the whole record does.
        rule: short fixed name of the broken rule, like ``required`` or ``maximum``.
        message: one sentence for the sender; never contains a personal value.
        record: the record as it was sent.
        value: the value that breaks the rule, shortened: ``'hello'``, ``1048.4``, ``null``, ``missing``, ``an array``;
            ``hidden`` when it is personal, empty when the rule is not about a value.
        line: the line of the file on which the record begins, from 1; ``None`` when there are no lines.
    """

    index: int
    field: str
    rule: str
    message: str
    record: Any
    value: str = ""
    line: int | None = None

    def as_json(self) -> dict[str, Any]:
        """The rejection as the sender sees it: everything but the record."""
        reason = {"field": self.field, "rule": self.rule, "value": self.value, "message": self.message}
        return {"index": self.index, **({} if self.line is None else {"line": self.line}), **reason}
