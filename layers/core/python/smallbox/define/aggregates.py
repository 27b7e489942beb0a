"""What a feature computes over a window of its source's records.

Each aggregate belongs to one entity and one window. Every one takes ``where``, conditions that a record must meet to be
looked at, and those that can be missing take ``default``, the value that stands in then. Over no records a count is 0
and every other is missing.
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
    """What an aggregate reads of a record.

    Attributes:
        field: the field; empty for the record itself.
        holds: instead of a field, a condition that is 1 where it holds and 0 where it does not.
        where: only records that meet all of these are looked at.
    """

    field: str = ""
    holds: Condition | None = None
    where: tuple[Condition, ...] = ()

    @property
    def fields(self) -> tuple[str, ...]:
        """Every field that is read."""
        conditions = (*([self.holds] if self.holds else []), *self.where)
        return (*([self.field] if self.field else []), *(c.field for c in conditions))


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One windowed aggregate. Written with :func:`count`, :func:`mean` and the others.

    Attributes:
        kind: the function.
        operand: what it reads.
        window: the window's length as written, like ``"24h"``.
        default: what stands in where the value is missing; ``None`` leaves it missing.
        window_micros: the window in microseconds.
    """

    kind: AggregateKind
    operand: Operand
    window: str
    default: float | None = None
    window_micros: Micros = dataclasses.field(init=False)

    @property
    def fields(self) -> tuple[str, ...]:
        """Every field that is read."""
        return self.operand.fields

    def __post_init__(self) -> None:
        micros = duration(self.window)
        if micros <= 0:
            raise DefinitionError(f"{self.kind} over {self.window!r}: a window is longer than nothing")
        object.__setattr__(self, "window_micros", micros)


def _of(field: str, where: Where) -> Operand:
    return Operand(field, where=(where,) if isinstance(where, Condition) else tuple(where))


def count(window: str, *, where: Where = ()) -> Aggregate:
    """How many records."""
    return Aggregate("count", _of("", where), window)


def total(field: str, window: str, *, where: Where = (), default: float | None = None) -> Aggregate:
    """The sum of a numeric field, exact to the sixth decimal; nulls are passed over."""
    return Aggregate("sum", _of(field, where), window, default)


def mean(field: str, window: str, *, where: Where = (), default: float | None = None) -> Aggregate:
    """The mean of a numeric field, its sum exact to the sixth decimal; nulls are passed over."""
    return Aggregate("mean", _of(field, where), window, default)


def std(field: str, window: str, *, where: Where = (), default: float | None = None) -> Aggregate:
    """The sample standard deviation of a numeric field: ``sqrt(sum((x - mean)**2) / (n - 1))``; nulls are passed over.

    Its sums of values and of squares are exact, so nothing cancels; missing over fewer than two values.
    """
    return Aggregate("std", _of(field, where), window, default)


def rate(of: str | Condition, window: str, *, where: Where = (), default: float | None = None) -> Aggregate:
    """The share of records in which a boolean field is true, or a condition holds; nulls are passed over.

    Args:
        of: the boolean field, or the condition.
        window: the window's length, like ``"24h"``.
        where: only records that meet all of these are looked at.
        default: what stands in where no record has a value.
    """
    operand = _of("" if isinstance(of, Condition) else of, where)
    if isinstance(of, Condition):
        operand = dataclasses.replace(operand, holds=of)
    return Aggregate("rate", operand, window, default)


def minimum(field: str, window: str, *, where: Where = (), default: float | None = None) -> Aggregate:
    """The least value of a numeric field."""
    return Aggregate("min", _of(field, where), window, default)


def maximum(field: str, window: str, *, where: Where = (), default: float | None = None) -> Aggregate:
    """The greatest value of a numeric field."""
    return Aggregate("max", _of(field, where), window, default)


def last(field: str, window: str, *, where: Where = (), default: float | None = None) -> Aggregate:
    """The value of the record with the latest event time; nulls are passed over.

    Of records with one event time, the one whose key has the greater CRC-32 counts: arbitrary, but always the same.
    """
    return Aggregate("last", _of(field, where), window, default)


def first(field: str, window: str, *, where: Where = (), default: float | None = None) -> Aggregate:
    """The value of the record with the earliest event time; ties as for :func:`last`."""
    return Aggregate("first", _of(field, where), window, default)


def since_last(window: str, *, where: Where = (), default: float | None = None) -> Aggregate:
    """Seconds from the event time of the window's latest record to the moment that is asked about."""
    return Aggregate("since_last", _of("", where), window, default)


def distinct(field: str, window: str, *, where: Where = ()) -> Aggregate:
    """About how many different values a field has: a sketch, with a relative standard error of 4.6 %.

    Nulls are passed over. Both engines give the same estimate, bit for bit; see ``smallbox.features.windows.sketch``.
    """
    return Aggregate("distinct", _of(field, where), window)
