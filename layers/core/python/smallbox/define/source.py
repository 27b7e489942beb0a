"""A source of records: its contract, its key, and its two times."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from smallbox.define.fields import Field
from smallbox.errors import DefinitionError
from smallbox.times import DAY, Micros, duration

NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,62}")

RESERVED: Final = ("key", "time", "known_at", "received_at", "digest")
"""Columns that the lake keeps of every record, which no field may be named after."""


def check_name(kind: str, name: str) -> None:
    """Refuse a name that is not lower-case letters, digits and underscores, beginning with a letter.

    Raises:
        DefinitionError: with the name and the rule.
    """
    if not NAME.fullmatch(name):
        raise DefinitionError(
            f"{kind} {name!r}: a name is lower-case letters, digits and underscores, at most 63, "
            "and begins with a letter"
        )


@dataclass(frozen=True, eq=False)
class Source:
    """Where records come from, and what they must look like.

    Attributes:
        name: the name in routes, folders and tables.
        key: the text field that tells one thing from another; a later record with the same key corrects it.
        time: the timestamp field that says when it happened: the event time.
        fields: the contract, by field name.
        known_after: how long after its event time a record is known (negative: before), like ``"1h"``;
            ``None`` means that a record is known when it is received.
        lateness: how late after it became known a record may still arrive and be counted by the stream.

    Raises:
        DefinitionError: when a name, the key, the time or a duration is not right.
    """

    name: str
    key: str
    time: str
    fields: Mapping[str, Field]
    known_after: str | None = None
    lateness: str = "1d"
    known_after_micros: Micros | None = field(init=False)
    lateness_micros: Micros = field(init=False)

    def __post_init__(self) -> None:
        check_name("source", self.name)
        for name in self.fields:
            check_name(f"source {self.name}: field", name)
            if name in (*RESERVED, "superseded_at"):
                raise DefinitionError(
                    f"source {self.name}: a field may not be named {name!r}, which the lake uses itself; "
                    f"write something like {self.name}_{name}"
                )
        self._require(self.key, "text", "key")
        self._require(self.time, "timestamp", "time")
        known_after = None if self.known_after is None else duration(self.known_after)
        object.__setattr__(self, "known_after_micros", known_after)
        object.__setattr__(self, "lateness_micros", duration(self.lateness))

    def _require(self, name: str, kind: str, role: str) -> None:
        found = self.fields.get(name)
        if found is None or found.type != kind or found.nullable:
            raise DefinitionError(
                f"source {self.name}: {role}={name!r} must name one of its {kind} fields that is not nullable"
            )

    def known_at(self, time: Micros, received_at: Micros) -> Micros:
        """When a record of that event time became known.

        >>> from smallbox.define.fields import text, timestamp
        >>> weather = Source("weather", "id", "at", {"id": text(), "at": timestamp()}, known_after="1h")
        >>> weather.known_at(0, received_at=5) == 3600 * 10**6
        True
        """
        return received_at if self.known_after_micros is None else time + self.known_after_micros


FUTURE_LIMIT: Final[Micros] = 2 * DAY
"""How far ahead of the present a record may become known before it is taken for a mistake."""
