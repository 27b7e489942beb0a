"""Moments and durations.

Inside, a moment is an ``int``: microseconds since 1970-01-01T00:00:00Z. A duration is an ``int`` of
microseconds. Integers compare exactly and are the same number in Python, numpy, Parquet and DynamoDB.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from smallbox.errors import DefinitionError, InvalidInput

Micros = int

SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
WEEK: Final = 7 * DAY


@dataclass(frozen=True, slots=True)
class Moment:
    """The moment that work is done for.

    Attributes:
        at: the moment.
        is_replayed: whether a caller named it, rather than the clock.
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
    """Read a duration: a whole number and a unit, ``s``, ``m``, ``h`` or ``d``; a minus sign means before.

    >>> duration("3h") == 3 * HOUR, duration("-1d") == -DAY
    (True, True)

    Raises:
        DefinitionError: when the text is not of that form.
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise DefinitionError(f"{text!r} is not a duration; write a whole number and s, m, h or d, like '24h'")
    sign, number, unit = match.groups()
    return (-1 if sign else 1) * int(number) * _UNITS[unit]


def parse_moment(text: str) -> Micros:
    """Read an ISO 8601 moment that carries its offset from UTC.

    >>> parse_moment("1970-01-01T01:00:00+01:00"), parse_moment("1970-01-01T00:00:01Z")
    (0, 1000000)

    Raises:
        ValueError: when it is not ISO 8601, has no offset (a local time is not a moment), or lies in UTC outside the
            years 1 to 9999.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no offset from UTC; end it with Z or an offset like +02:00")
    at = to_micros(moment)
    if not FIRST <= at <= LAST:
        raise ValueError(f"{text!r} lies in UTC outside the years 1 to 9999")
    return at


def replayed(text: str, present: Micros) -> Moment:
    """The past moment that a replay names.

    >>> replayed("1970-01-01T00:00:01Z", present=DAY)
    Moment(at=1000000, is_replayed=True)

    Raises:
        ValueError: when it is no moment, or lies ahead of the present.
    """
    at = parse_moment(text)
    if at > present:
        raise ValueError(f"{text!r} lies in the future")
    return Moment(at, is_replayed=True)


def asked_moment(document: Mapping[str, Any], present: Micros, default: Micros | None = None) -> Micros:
    """The moment that a task's document asks for with ``as_of``; without it ``default``, or the present.

    >>> asked_moment({"as_of": "1970-01-02T00:00:00Z"}, present=5 * DAY) == DAY, asked_moment({}, present=5)
    (True, 5)

    Raises:
        InvalidInput: when ``as_of`` is no moment, or lies ahead of the present.
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
    """The moment as microseconds; exact, where ``datetime.timestamp`` is a float.

    >>> to_micros(datetime(1970, 1, 2, tzinfo=UTC)) == DAY
    True
    """
    return (moment - _EPOCH) // _MICROSECOND


def to_datetime(moment: Micros) -> datetime:
    """The moment as an aware ``datetime`` in UTC."""
    return _EPOCH + moment * _MICROSECOND


def format_moment(moment: Micros) -> str:
    """ISO 8601 in UTC, with microseconds only where there are any.

    >>> format_moment(DAY)
    '1970-01-02T00:00:00Z'
    """
    return to_datetime(moment).isoformat().replace("+00:00", "Z")


def day_of(moment: Micros) -> str:
    """The UTC day that a moment falls on.

    >>> day_of(DAY - 1)
    '1970-01-01'
    """
    return to_datetime(moment).date().isoformat()


def parse_day(day: str) -> Micros:
    """The moment at which a UTC day begins.

    >>> parse_day("1970-01-02") == DAY
    True
    """
    return to_micros(datetime.fromisoformat(day).replace(tzinfo=UTC))
