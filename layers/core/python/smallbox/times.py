"""Timestamps ("moments") and durations.

Inside the code a moment is an ``int``: microseconds since 1970-01-01T00:00:00Z. A duration is an ``int`` of
microseconds. Integers compare exactly and are the same number in Python, numpy, Parquet and DynamoDB.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from smallbox.errors import DefinitionError, InvalidInput

Micros = int

MILLISECOND: Final = 1_000
SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
WEEK: Final = 7 * DAY


@dataclass(frozen=True, slots=True)
class Moment:
    """The moment that work is done for: the present, or the past moment of a replay.

    Attributes:
        at: the moment.
        is_replayed: whether the caller named it; otherwise it is the clock's.
    """

    at: Micros
    is_replayed: bool = False


_UNITS: Final = {"s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY}
_DURATION: Final = re.compile(r"(-?)(\d+)([smhd])")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
FIRST: Final = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
LAST: Final = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND


def duration(text: str) -> Micros:
    """Parse a duration: a whole number and a unit, ``s``, ``m``, ``h`` or ``d``; a minus sign makes it negative.

    >>> duration("3h") == 3 * HOUR, duration("-1d") == -DAY
    (True, True)

    Raises:
        DefinitionError: when the text does not have that form.
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise DefinitionError(f"{text!r} is not a duration; write a whole number and s, m, h or d, like '24h'")
    sign, number, unit = match.groups()
    return (-1 if sign else 1) * int(number) * _UNITS[unit]


_DAYS: Final = {"day": 1.0, "week": 7.0, "month": 30.0, "quarter": 90.0, "year": 365.0}
_RATE: Final = re.compile(r"(\d+) per (day|week|month|quarter|year)")


def days_per_event(text: str) -> float:
    """Parse a rate, ``"1 per quarter"``: how many days there are for each event.

    >>> days_per_event("1 per quarter"), days_per_event("2 per week")
    (90.0, 3.5)

    Raises:
        DefinitionError: when the text does not have that form, or the number is 0.
    """
    match = _RATE.fullmatch(text)
    if match is None or int(match[1]) == 0:
        raise DefinitionError(f"{text!r} is not a rate; write '1 per quarter': a number, and {', '.join(_DAYS)}")
    return _DAYS[match[2]] / int(match[1])


def short_duration(text: str) -> Micros:
    """Parse a duration that may be shorter than a second: as :func:`duration`, or a whole number and ``ms``.

    >>> short_duration("250ms"), short_duration("1s")
    (250000, 1000000)

    Raises:
        DefinitionError: when the text does not have that form, or is negative.
    """
    number = text.removesuffix("ms")
    found = int(number) * MILLISECOND if number != text and number.isdecimal() else duration(text)
    if found < 0:
        raise DefinitionError(f"{text!r} is negative; write a duration like '250ms' or '1s'")
    return found


def written(micros: Micros) -> str:
    """The one spelling of a duration of whole seconds: equal durations give equal texts.

    >>> written(duration("60m")), written(duration("24h")), written(duration("-90s")), written(0)
    ('1h', '1d', '-90s', '0s')
    """
    whole = [(name, size) for name, size in _UNITS.items() if micros and micros % size == 0]
    unit, size = whole[-1] if whole else ("s", SECOND)
    return f"{micros // size}{unit}"


def parse_moment(text: str) -> Micros:
    """Parse an ISO 8601 timestamp with an offset from UTC.

    >>> parse_moment("1970-01-01T01:00:00+01:00"), parse_moment("1970-01-01T00:00:01Z")
    (0, 1000000)

    Raises:
        ValueError: when it is not ISO 8601, has no offset (a local time is ambiguous), or lies outside the years 1 to
            9999 in UTC.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no offset from UTC; end it with Z or an offset like +02:00")
    at = to_micros(moment)
    if not FIRST <= at <= LAST:
        raise ValueError(f"{text!r} is outside the years 1 to 9999 in UTC")
    return at


def replayed(text: str, present: Micros) -> Moment:
    """Parse the past moment that a replay names.

    >>> replayed("1970-01-01T00:00:01Z", present=DAY)
    Moment(at=1000000, is_replayed=True)

    Raises:
        ValueError: when it is not a moment, or is later than the present.
    """
    at = parse_moment(text)
    if at > present:
        raise ValueError(f"{text!r} is in the future")
    return Moment(at, is_replayed=True)


def asked_moment(document: Mapping[str, Any], present: Micros, default: Micros | None = None) -> Micros:
    """The moment in the ``as_of`` of a task's document; without ``as_of`` the ``default``, or the present.

    >>> asked_moment({"as_of": "1970-01-02T00:00:00Z"}, present=5 * DAY) == DAY, asked_moment({}, present=5)
    (True, 5)

    Raises:
        InvalidInput: when ``as_of`` is not a moment, or is later than the present.
    """
    if "as_of" not in document:
        return present if default is None else default
    try:
        return replayed(document["as_of"], present).at
    except (TypeError, ValueError) as error:
        raise InvalidInput(
            f"as_of: {error}; give a moment that is past, like 2013-03-02T00:00:00Z", field="as_of"
        ) from error


def to_micros(moment: datetime) -> Micros:
    """Convert to microseconds; exact, unlike the float of ``datetime.timestamp``.

    >>> to_micros(datetime(1970, 1, 2, tzinfo=UTC)) == DAY
    True
    """
    return (moment - _EPOCH) // _MICROSECOND


def to_datetime(moment: Micros) -> datetime:
    """Convert to a timezone-aware ``datetime`` in UTC."""
    return _EPOCH + moment * _MICROSECOND


def format_moment(moment: Micros) -> str:
    """Format as ISO 8601 in UTC, with microseconds only when they are not zero.

    >>> format_moment(DAY)
    '1970-01-02T00:00:00Z'
    """
    return to_datetime(moment).isoformat().replace("+00:00", "Z")


def day_of(moment: Micros) -> str:
    """The UTC day of a moment, as ``YYYY-MM-DD``.

    >>> day_of(DAY - 1)
    '1970-01-01'
    """
    return to_datetime(moment).date().isoformat()


def day_number(text: str) -> int:
    """Parse a declared day, ``"1970-01-02"``: the days since 1970-01-01.

    >>> day_number("1970-01-02")
    1

    Raises:
        DefinitionError: when the text is no day of that form.
    """
    try:
        return (date.fromisoformat(text) - _EPOCH.date()).days
    except ValueError as error:
        raise DefinitionError(f"{text!r} is not a day; write one like '2026-12-25'") from error


def parse_day(day: str) -> Micros:
    """The moment at which a UTC day begins.

    >>> parse_day("1970-01-02") == DAY
    True
    """
    return to_micros(datetime.fromisoformat(day).replace(tzinfo=UTC))
