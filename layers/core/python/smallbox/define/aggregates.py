"""What a feature computes over a window of its source's records.

Each aggregate belongs to one entity and one window. Over no records a count is 0 and every other is missing.
"""

import dataclasses
from dataclasses import dataclass
from typing import Literal

from smallbox.errors import DefinitionError
from smallbox.times import Micros, duration

Kind = Literal["count", "sum", "mean", "rate", "min", "max", "last"]


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One windowed aggregate. Written with :func:`count`, :func:`mean` and the others.

    Attributes:
        kind: the function.
        field: the field it reads; empty for ``count``.
        window: the window's length as written, like ``"24h"``.
        window_micros: the same in microseconds.
    """

    kind: Kind
    field: str
    window: str
    window_micros: Micros = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        micros = duration(self.window)
        if micros <= 0:
            raise DefinitionError(f"{self.kind} over {self.window!r}: a window is longer than nothing")
        object.__setattr__(self, "window_micros", micros)


def count(window: str) -> Aggregate:
    """How many records."""
    return Aggregate("count", "", window)


def total(field: str, window: str) -> Aggregate:
    """The sum of a numeric field, exact to the sixth decimal; nulls are passed over."""
    return Aggregate("sum", field, window)


def mean(field: str, window: str) -> Aggregate:
    """The mean of a numeric field, its sum exact to the sixth decimal; nulls are passed over."""
    return Aggregate("mean", field, window)


def rate(field: str, window: str) -> Aggregate:
    """The share of records, of those where the boolean field is not null, in which it is true."""
    return Aggregate("rate", field, window)


def minimum(field: str, window: str) -> Aggregate:
    """The least value of a numeric field."""
    return Aggregate("min", field, window)


def maximum(field: str, window: str) -> Aggregate:
    """The greatest value of a numeric field."""
    return Aggregate("max", field, window)


def last(field: str, window: str) -> Aggregate:
    """The value of the record with the latest event time; nulls are passed over.

    Of records with one event time, the one whose key has the greater CRC-32 counts: arbitrary, but always the same.
    """
    return Aggregate("last", field, window)
