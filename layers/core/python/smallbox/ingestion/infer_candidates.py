"""Proposes columns of raw data as key and as event time, and says what to change in a column first."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from smallbox.ingestion.field_checks import shown
from smallbox.times import SECOND, Micros, format_moment

MAX_CANDIDATES: Final = 8
"""Maximum number of candidates to list."""

MIN_DISTINCT_SHARE: Final = 0.5
"""A column whose number of distinct values is a smaller share of its rows is not proposed as key."""

_EARLIEST, _LATEST = 10**8, 10**10
"""Plausible moments in seconds since 1970: the years 1973 to 2286."""

_UNITS: Final[tuple[tuple[str, Micros], ...]] = (
    ("seconds", SECOND),
    ("milliseconds", SECOND // 1_000),
    ("microseconds", 1),
)
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_OTHER: Final = re.compile(r"\d{1,4}[/.-]\d{1,2}[/.-]\d{1,4}\b.*")
_SAMPLE_SIZE: Final = 1_000


@dataclass(frozen=True, slots=True)
class SampledColumn:
    """Summary of a column's values.

    Attributes:
        name: its name.
        rows: the number of rows.
        known: the number of rows where it is not null.
        distinct: its distinct values, without null.
        kind: the field type that accepts all values; empty when none does.
    """

    name: str
    rows: int
    known: int
    distinct: Sequence[Any]
    kind: str


def keys(columns: Sequence[SampledColumn]) -> list[str]:
    """Candidates for the key, best first, each with what to change.

    >>> keys([SampledColumn("n", 3, 3, [1, 2, 3], "integer"), SampledColumn("who", 3, 2, ["a", "b"], "text")])
    ["'n': whole numbers, each once; write them as texts", "'who': each value once, but null in 1 of 3 rows"]
    """
    near = [
        c for c in columns if c.kind in {"text", "integer"} and len(c.distinct) >= max(1, MIN_DISTINCT_SHARE * c.rows)
    ]
    near.sort(key=lambda column: -len(column.distinct))
    return [f"{column.name!a}: {_key_reason(column)}" for column in near[:MAX_CANDIDATES]]


def _key_reason(column: SampledColumn) -> str:
    if len(column.distinct) < column.known:
        return f"{len(column.distinct)} values in {column.rows} rows; a row that repeats one corrects the other"
    if column.known < column.rows:
        return f"each value once, but null in {column.rows - column.known} of {column.rows} rows"
    return "whole numbers, each once; write them as texts" if column.kind == "integer" else "texts, each once"


def times(columns: Sequence[SampledColumn]) -> list[str]:
    """Candidates for the event time, best first, each with how to write its values.

    >>> times([SampledColumn("at", 1, 1, ["2013-01-31"], "text")])
    ["'at': days without an hour, like '2013-01-31'; write 2013-01-31T00:00:00Z"]
    """
    near = sorted(columns, key=lambda column: column.kind != "timestamp")
    reasons = ((column.name, reason) for column in near for reason in _time_reasons(column))
    return [f"{name!a}: {reason}" for name, reason in reasons][:MAX_CANDIDATES]


def _time_reasons(column: SampledColumn) -> Iterator[str]:
    """Zero or one reason."""
    values = column.distinct[:_SAMPLE_SIZE]
    if not values:
        return
    if column.kind == "timestamp":
        missing = column.rows - column.known
        yield f"moments, but null in {missing} of {column.rows} rows" if missing else "moments"
        return
    for looks_like, advice in _FORMS:
        if all(looks_like(value) for value in values):
            yield advice(values[0])
            return


def _is_naive(value: Any) -> bool:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        return False
    is_day = isinstance(value, str) and _DAY.fullmatch(value)
    return isinstance(moment, datetime) and moment.tzinfo is None and not is_day and not _number(value)


def _is_day(value: Any) -> bool:
    return bool(_DAY.fullmatch(value)) if isinstance(value, str) else type(value) is date


def _is_epoch(value: Any) -> bool:
    return _unit(value) is not None


def _is_other(value: Any) -> bool:
    return isinstance(value, str) and _OTHER.fullmatch(value) is not None


def _number(value: Any) -> float | None:
    try:
        return None if isinstance(value, bool | date) else float(value)
    except (TypeError, ValueError):
        return None


def _unit(value: Any) -> tuple[str, Micros] | None:
    """The unit in which the number is a plausible time since 1970, and that time in microseconds."""
    number = _number(value)
    for unit, micros in _UNITS:
        if number is not None and _EARLIEST <= number * micros / SECOND < _LATEST:
            return unit, int(number * micros)
    return None


def _epoch_advice(value: Any) -> str:
    unit, moment = _unit(value) or ("", 0)
    return f"perhaps {unit} since 1970; write {value} as {format_moment(moment)}"


_FORMS: Final[tuple[tuple[Callable[[Any], bool], Callable[[Any], str]], ...]] = (
    (_is_naive, lambda value: f"moments without an offset, like {_text(value)}; add it, Z where they are UTC"),
    (_is_day, lambda value: f"days without an hour, like {_text(value)}; write {value}T00:00:00Z"),
    (_is_epoch, _epoch_advice),
    (_is_other, lambda value: f"moments in another form, like {_text(value)}; write them like 2013-01-31T10:00:00Z"),
)


def _text(value: Any) -> str:
    return shown(value if isinstance(value, str) else str(value))
