"""Windowed aggregates: what a feature computes over a window of its source's records.

Each aggregate is for one entity and one window. ``where`` filters the records. ``default`` replaces a missing value.
Over no records a count is 0 and every other aggregate is missing.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from smallbox.define.conditions import Condition
from smallbox.errors import DefinitionError
from smallbox.times import Micros, duration

AggregateKind = Literal["count", "sum", "mean", "std", "rate", "min", "max", "last", "first", "since_last", "distinct"]
Where = Condition | Sequence[Condition]


@dataclass(frozen=True, slots=True)
class Operand:
    """The input of an aggregate: a field or a condition, and a filter on records.

    Attributes:
        field: the field; empty when the aggregate reads only that there is a record.
        holds: instead of a field, a condition: 1 where it holds, 0 where it does not.
        where: filter: only records that meet all of these conditions count.
    """

    field: str = ""
    holds: Condition | None = None
    where: tuple[Condition, ...] = ()

    @property
    def fields(self) -> tuple[str, ...]:
        """Every field that the aggregate reads."""
        conditions = (*([self.holds] if self.holds else []), *self.where)
        return (*([self.field] if self.field else []), *(c.field for c in conditions))


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One windowed aggregate. Written with :func:`count`, :func:`mean` and the others.

    Attributes:
        kind: the aggregate function.
        operand: its input.
        window: the window's length as written, like ``"24h"``.
        default: replaces a missing value; ``None`` leaves it missing.
        window_micros: the window in microseconds.
    """

    kind: AggregateKind
    operand: Operand
    window: str
    default: float | None = None
    window_micros: Micros = dataclasses.field(init=False)

    @property
    def fields(self) -> tuple[str, ...]:
        """Every field that the aggregate reads."""
        return self.operand.fields

    def __post_init__(self) -> None:
        micros = duration(self.window)
        if micros <= 0:
            raise DefinitionError(f"{self.kind} over {self.window!r}: a window must be longer than 0; write like '24h'")
        object.__setattr__(self, "window_micros", micros)


def _of(field: str, where: Where) -> Operand:
    return Operand(field, where=(where,) if isinstance(where, Condition) else tuple(where))


def count(window: str, *, where: Where = ()) -> Aggregate:
    """The number of records."""
    return Aggregate("count", _of("", where), window)


def total(field: str, window: str, *, where: Where = (), default: float | None = None) -> Aggregate:
    """The sum of a numeric field, exact to six decimals; nulls are ignored."""
    return Aggregate("sum", _of(field, where), window, default)


def mean(field: str, window: str, *, where: Where = (), default: float | None = None) -> Aggregate:
    """The mean of a numeric field, its sum exact to six decimals; nulls are ignored."""
    return Aggregate("mean", _of(field, where), window, default)


def std(field: str, window: str, *, where: Where = (), default: float | None = None) -> Aggregate:
    """The sample standard deviation of a numeric field: ``sqrt(sum((x - mean)**2) / (n - 1))``; nulls are ignored.

    The sums of values and of squares are exact, so there is no cancellation. Missing over fewer than two values.
    """
    return Aggregate("std", _of(field, where), window, default)


def rate(of: str | Condition, window: str, *, where: Where = (), default: float | None = None) -> Aggregate:
    """The share of records in which a boolean field is true, or a condition holds; nulls are ignored.

    Args:
        of: the boolean field, or the condition.
        window: the window's length, like ``"24h"``.
        where: filter: only records that meet all of these conditions count.
        default: the value when no record has one.
    """
    operand = _of("" if isinstance(of, Condition) else of, where)
    if isinstance(of, Condition):
        operand = dataclasses.replace(operand, holds=of)
    return Aggregate("rate", operand, window, default)


def minimum(field: str, window: str, *, where: Where = (), default: float | None = None) -> Aggregate:
    """The minimum of a numeric field; nulls are ignored."""
    return Aggregate("min", _of(field, where), window, default)


def maximum(field: str, window: str, *, where: Where = (), default: float | None = None) -> Aggregate:
    """The maximum of a numeric field; nulls are ignored."""
    return Aggregate("max", _of(field, where), window, default)


def last(field: str, window: str, *, where: Where = (), default: float | None = None) -> Aggregate:
    """The value of the record with the latest event time; nulls are ignored.

    Ties on event time go to the key with the greater CRC-32: arbitrary, but deterministic.
    """
    return Aggregate("last", _of(field, where), window, default)


def first(field: str, window: str, *, where: Where = (), default: float | None = None) -> Aggregate:
    """The value of the record with the earliest event time; nulls are ignored, ties as in :func:`last`."""
    return Aggregate("first", _of(field, where), window, default)


def since_last(window: str, *, where: Where = (), default: float | None = None) -> Aggregate:
    """Seconds from the event time of the window's latest record to the moment of the feature lookup."""
    return Aggregate("since_last", _of("", where), window, default)


def distinct(field: str, window: str, *, where: Where = ()) -> Aggregate:
    """Approximate count of distinct values, from a sketch with a relative standard error of 4.6 %.

    Nulls are ignored. Stream and batch give the same estimate, bit for bit; see ``smallbox.features.windows.sketch``.
    """
    return Aggregate("distinct", _of(field, where), window)
