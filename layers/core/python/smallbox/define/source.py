"""A source of records: its contract (schema), its key, its event time, and when its records are known."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from smallbox.define.argument_types import check_by_name
from smallbox.define.fields import Field
from smallbox.errors import DefinitionError
from smallbox.times import DAY, Micros, duration

NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,62}")

RESERVED: Final = ("key", "time", "known_at", "received_at", "digest")
"""Columns that the lake adds to every record; no field may have one of these names."""


def check_name(kind: str, name: str) -> None:
    """Raise unless the name is lower-case letters, digits and underscores, beginning with a letter.

    Raises:
        DefinitionError: with the name and the rule.
    """
    if not NAME.fullmatch(name):
        raise DefinitionError(
            f"{kind} {name!r}: a name is lower-case letters, digits and underscores, at most 63, "
            "and begins with a letter"
        )


def check_not_personal(source: "Source", name: str, role: str) -> None:
    """Raise if the field is personal; for roles that copy its value to places where it cannot be hidden.

    Raises:
        DefinitionError: with the role and what to do.
    """
    if source.fields[name].pii:
        raise DefinitionError(
            f"source {source.name}: the {role} {name!r} may not be pii: its values are copied to states, logs and data "
            "sets; send a pseudonym instead, like a keyed hash"
        )


@dataclass(frozen=True, eq=False)
class Source:
    """A source of records and its contract.

    Attributes:
        name: the name in routes, folders and tables.
        key: the text field that identifies a record; a later record with the same key corrects it (upsert).
        time: the timestamp field with the event time.
        fields: the contract: fields by name.
        known_after: delay from event time to when a record is known, like ``"1h"`` (negative: known before it
            happens); ``None`` means that a record is known when it is received.
        lateness: allowed lateness: how long after it became known a record may arrive and still be counted by the
            stream.
        volume: expected number of records per UTC day: ``(800, 1200)``, or ``800`` for at least 800. ``None``: only
            ``Monitor.min_volume`` applies.
        freshness: maximum age of the newest known record at any hour, like ``"2h"``; ``None`` means any age.

    Raises:
        DefinitionError: when a name, the key, the time, a duration or the volume is invalid, or the key is personal.
    """

    name: str
    key: str
    time: str
    fields: Mapping[str, Field]
    known_after: str | None = None
    lateness: str = "1d"
    volume: int | tuple[int, int] | None = None
    freshness: str | None = None
    known_after_micros: Micros | None = field(init=False)
    lateness_micros: Micros = field(init=False)
    freshness_micros: Micros | None = field(init=False)

    def __post_init__(self) -> None:
        check_name("source", self.name)
        check_by_name(f"source {self.name}: fields", self.fields, Field, "fields by name, like {'amount': number()}")
        for name in self.fields:
            check_name(f"source {self.name}: field", name)
            if name in (*RESERVED, "superseded_at"):
                raise DefinitionError(
                    f"source {self.name}: a field may not be named {name!r}, because the lake uses that name; "
                    f"write something like {self.name}_{name}"
                )
        self._require(self.key, "text", "key")
        self._require(self.time, "timestamp", "time")
        check_not_personal(self, self.key, "key")
        self._check_volume()
        for name in ("known_after", "lateness", "freshness"):
            written = getattr(self, name)
            object.__setattr__(self, f"{name}_micros", None if written is None else duration(written))
        if self.freshness_micros is not None and self.freshness_micros <= 0:
            raise DefinitionError(f"source {self.name}: freshness={self.freshness!r} must be longer than 0")

    def _check_volume(self) -> None:
        bounds: tuple[object, ...] = self.volume if isinstance(self.volume, tuple) else (self.volume or 0,)
        whole = [bound for bound in bounds if type(bound) is int and bound >= 0]
        if len(whole) != len(bounds) or len(bounds) not in {1, 2} or whole != sorted(whole):
            raise DefinitionError(
                f"source {self.name}: volume={self.volume!r} must be a whole number, the minimum of records per day, "
                "or minimum and maximum, like (800, 1200)"
            )

    @property
    def volume_range(self) -> tuple[int, int | None] | None:
        """Minimum and maximum number of records expected per day; ``None`` when not declared."""
        return (self.volume, None) if isinstance(self.volume, int) else self.volume

    @property
    def personal(self) -> frozenset[str]:
        """The fields whose values are personal."""
        return frozenset(name for name, found in self.fields.items() if found.pii)

    def _require(self, name: str, kind: str, role: str) -> None:
        found = self.fields.get(name)
        if found is None or found.type != kind or found.nullable:
            raise DefinitionError(
                f"source {self.name}: {role}={name!r} must name one of its {kind} fields that is not nullable"
            )

    def known_at(self, time: Micros, received_at: Micros) -> Micros:
        """When a record with this event time became known, microseconds.

        >>> from smallbox.define.fields import text, timestamp
        >>> weather = Source("weather", "id", "at", {"id": text(), "at": timestamp()}, known_after="1h")
        >>> weather.known_at(0, received_at=5) == 3600 * 10**6
        True
        """
        return received_at if self.known_after_micros is None else time + self.known_after_micros


FUTURE_LIMIT: Final[Micros] = 2 * DAY
"""A record that becomes known further ahead of the present than this is rejected as a mistake."""

FAR_AHEAD: Final[Micros] = 3653 * DAY
"""Ten years: an event time further ahead of the present than this is rejected, whenever its record is known."""

LONG_AGO: Final[Micros] = -25_567 * DAY
"""The beginning of 1900: an earlier event time is rejected as a date that was never set."""
