"""Value tests: check a value against its field's rules, and normalise it."""

import math
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from smallbox.define.fields import Field
from smallbox.define.patterns import TEXT_LIMIT
from smallbox.records import Value
from smallbox.times import Micros, parse_moment, to_micros

NUMBER_LIMIT: Final = 10**12
"""Maximum absolute value of a number: up to here sums are exact to six decimals."""

MISSING: Final = object()
"""Sentinel for a value that was not sent."""

NOT_SHOWN: Final = object()
"""Sentinel for a value that the message must not show, or a rule that is not about a value."""

HIDDEN: Final = "hidden"
"""Shown in place of a personal value."""

SHOWN: Final = 80
"""Number of characters of a text that messages show."""

_LISTED: Final = 12

Test = Callable[[Any], Value]


class Broken(Exception):
    """A value breaks a rule.

    Args:
        rule: short fixed name of the rule.
        demand: what the rule requires, as a sentence without the value.
        value: the value, or ``MISSING`` or ``NOT_SHOWN``.
        field: the field; empty when the rule is about the whole record, or the field is not known yet.
    """

    def __init__(self, rule: str, demand: str, value: Any = NOT_SHOWN, field: str = "") -> None:
        super().__init__(rule)
        self.rule = rule
        self.demand = demand
        self.value = value
        self.field = field


def shown(value: Any) -> str:
    """Format a value for a message: short, on one line, ASCII only.

    >>> shown("a" * 3), shown([1, 2]), shown(None)
    ("'aaa'", 'an array', 'null')
    """
    if value is None or isinstance(value, bool):
        return str(value).lower().replace("none", "null")
    if isinstance(value, str):
        return ascii(value[:SHOWN]) + ("..." if len(value) > SHOWN else "")
    if isinstance(value, int | float):
        return str(value) if abs(value) <= NUMBER_LIMIT or isinstance(value, float) else "a huge integer"
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "an array"
    if value is MISSING:
        return "missing"
    return f"of the type {type(value).__name__}"


def listed(names: tuple[str, ...]) -> str:
    """Join names for a message, at most the first twelve.

    >>> listed(("a", "b"))
    'a, b'
    """
    more = len(names) - _LISTED
    return ", ".join(names[:_LISTED]) + (f" and {more} more" if more > 0 else "")


def _text_test(field: Field) -> Test:
    choices = frozenset(field.choices)
    is_match = re.compile(field.pattern).fullmatch if field.pattern else None

    def test(value: Any) -> str:
        if not isinstance(value, str):
            raise Broken("type", "it must be a text", value)
        if len(value) > TEXT_LIMIT:
            raise Broken("length", f"it may have at most {TEXT_LIMIT} characters", value)
        if not value.isascii():
            _check_encodable(value)
        if choices and value not in choices:
            raise Broken("choices", f"it must be one of {listed(field.choices)}", value)
        if is_match is not None and is_match(value) is None:
            raise Broken("pattern", f"the whole text must match {field.pattern}", value)
        return value

    return test


def _check_encodable(value: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Broken("text", "it holds half of a surrogate pair, which is not a character", value) from None


def _number_test(field: Field) -> Test:
    least, most = bounds(field)

    def test(value: Any) -> float:
        if type(value) is not float:
            if type(value) is not int:
                raise Broken("type", "it must be a number", value)
            _check_bounds(value, least, most)
            return float(value)
        if least <= value <= most:
            return value + 0.0
        if not math.isfinite(value):
            raise Broken("finite", "it must be a finite number", value)
        _check_bounds(value, least, most)
        return value

    return test


def _integer_test(field: Field) -> Test:
    least, most = bounds(field)

    def test(value: Any) -> int:
        if type(value) is float and value.is_integer():
            value = int(value)
        if type(value) is not int:
            raise Broken("type", "it must be a whole number", value)
        _check_bounds(value, least, most)
        return int(value)

    return test


def bounds(field: Field) -> tuple[float, float]:
    """Minimum and maximum of a number field."""
    least = -NUMBER_LIMIT if field.minimum is None else max(field.minimum, -NUMBER_LIMIT)
    return least, NUMBER_LIMIT if field.maximum is None else min(field.maximum, NUMBER_LIMIT)


def _check_bounds(value: float, least: float, most: float) -> None:
    if value < least:
        raise Broken("minimum", f"the least allowed is {least}", value)
    if value > most:
        raise Broken("maximum", f"the greatest allowed is {most}", value)


def _boolean_test(_: Field) -> Test:
    def test(value: Any) -> bool:
        if value is True or value is False:
            return bool(value)
        raise Broken("type", "it must be true or false", value)

    return test


def _timestamp_test(_: Field) -> Test:
    def test(value: Any) -> Micros:
        try:
            if isinstance(value, str):
                return parse_moment(value)
            if isinstance(value, datetime) and value.tzinfo is not None:
                return to_micros(value)
        except (ValueError, OverflowError):
            pass
        raise Broken("type", "it must be an ISO 8601 timestamp with an offset, like 2013-01-31T10:00:00Z", value)

    return test


_TESTS: Final = {
    "text": _text_test,
    "number": _number_test,
    "integer": _integer_test,
    "boolean": _boolean_test,
    "timestamp": _timestamp_test,
}


def test_of(field: Field) -> Test:
    """Compile the field's rules into a test that returns the normalised value, or raises :class:`Broken`."""
    return _TESTS[field.type](field)
