"""A source's contract, compiled: from what a sender sent to a record, or to the reason why not.

Values are brought to one form, so that what means the same has the same digest: a number becomes a ``float`` and
negative zero zero, ``3.0`` sent for an integer becomes 3 (JSON has no other way to tell them apart), a moment
becomes microseconds. A boolean is not a number, and a number in quotes is a text.
"""

import math
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from smallbox.define.fields import Field
from smallbox.define.source import FUTURE_LIMIT, Source
from smallbox.records import Record, Rejection, Value
from smallbox.times import Micros, parse_moment, to_micros

TEXT_LIMIT: Final = 256
"""The greatest length of a text, in characters."""

NUMBER_LIMIT: Final = 10**12
"""The greatest magnitude of a number: up to here sums to the sixth decimal are exact."""

_SHOWN: Final = 80

Test = Callable[[Any], Value]


class _Broken(Exception):
    """A value breaks a rule."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule
        self.message = message
        self.field = ""


def shown(value: Any) -> str:
    """A value for a message: short, on one line, and safe to write anywhere.

    >>> shown("a" * 3), shown([1, 2]), shown(None)
    ("'aaa'", 'an array', 'null')
    """
    if value is None or isinstance(value, bool):
        return str(value).lower().replace("none", "null")
    if isinstance(value, str):
        return ascii(value[:_SHOWN]) + ("..." if len(value) > _SHOWN else "")
    if isinstance(value, int | float):
        return str(value) if abs(value) <= NUMBER_LIMIT or isinstance(value, float) else "a huge integer"
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "an array"
    return f"of the type {type(value).__name__}"


def _text_test(field: Field) -> Test:
    choices = frozenset(field.choices)

    def test(value: Any) -> str:
        if not isinstance(value, str):
            raise _Broken("type", f"must be a text; it is {shown(value)}")
        if len(value) > TEXT_LIMIT:
            raise _Broken("length", f"is {len(value)} characters long; at most {TEXT_LIMIT} are allowed")
        if not value.isascii():
            _check_encodable(value)
        if choices and value not in choices:
            raise _Broken("choices", f"is {shown(value)}; it must be one of {', '.join(field.choices)}")
        return value

    return test


def _check_encodable(value: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise _Broken("text", "holds half of a surrogate pair, which is not a character") from None


def _number_test(field: Field) -> Test:
    least, most = _bounds(field)

    def test(value: Any) -> float:
        if type(value) is not float:
            if type(value) is not int:
                raise _Broken("type", f"must be a number; it is {shown(value)}")
            _check_bounds(value, least, most)
            return float(value)
        if least <= value <= most:
            return value + 0.0
        if not math.isfinite(value):
            raise _Broken("finite", f"must be a finite number; it is {value}")
        _check_bounds(value, least, most)
        return value

    return test


def _integer_test(field: Field) -> Test:
    least, most = _bounds(field)

    def test(value: Any) -> int:
        if type(value) is float and value.is_integer():
            value = int(value)
        if type(value) is not int:
            raise _Broken("type", f"must be a whole number; it is {shown(value)}")
        _check_bounds(value, least, most)
        return int(value)

    return test


def _bounds(field: Field) -> tuple[float, float]:
    least = -NUMBER_LIMIT if field.minimum is None else max(field.minimum, -NUMBER_LIMIT)
    return least, NUMBER_LIMIT if field.maximum is None else min(field.maximum, NUMBER_LIMIT)


def _check_bounds(value: float, least: float, most: float) -> None:
    if value < least:
        raise _Broken("minimum", f"is {shown(value)}; the least allowed is {least}")
    if value > most:
        raise _Broken("maximum", f"is {shown(value)}; the greatest allowed is {most}")


def _boolean_test(_: Field) -> Test:
    def test(value: Any) -> bool:
        if value is True or value is False:
            return bool(value)
        raise _Broken("type", f"must be true or false; it is {shown(value)}")

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
        raise _Broken(
            "type", f"must be an ISO 8601 moment with its offset, like 2013-01-31T10:00:00Z; it is {shown(value)}"
        )

    return test


_TESTS: Final = {
    "text": _text_test,
    "number": _number_test,
    "integer": _integer_test,
    "boolean": _boolean_test,
    "timestamp": _timestamp_test,
}


class Contract:
    """A source's rules, compiled once.

    Args:
        source: whose rules.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self._names = frozenset(source.fields)
        self._tests = tuple((n, _TESTS[f.type](f), f.nullable) for n, f in source.fields.items())

    def check(self, raw: Any, index: int, received_at: Micros) -> Record | Rejection:
        """The record, or why it is none: the first rule that it breaks.

        Args:
            raw: one record as it was sent, of any type.
            index: where it stood, for the rejection.
            received_at: the present, or a replay's.
        """
        try:
            return self._record(self._values(raw, self._names), received_at)
        except _Broken as broken:
            return _rejection(raw, index, broken)

    def check_values(self, raw: Any, index: int, required: Collection[str]) -> dict[str, Value] | Rejection:
        """Only the values; fields that are not ``required`` may be left out, and then are null."""
        try:
            return self._values(raw, required)
        except _Broken as broken:
            return _rejection(raw, index, broken)

    def _values(self, raw: Any, required: Collection[str]) -> dict[str, Value]:
        if type(raw) is not dict:
            raise _Broken("object", f"a record must be an object; it is {shown(raw)}")
        if not self._names.issuperset(raw):
            raise self._unknown(raw)
        values: dict[str, Value] = {}
        name = ""
        try:
            for name, test, nullable in self._tests:
                value = raw.get(name)
                if value is not None:
                    values[name] = test(value)
                elif nullable or name not in required:
                    values[name] = None
                else:
                    raise _missing(name in raw)
        except _Broken as broken:
            broken.field = name
            raise
        return values

    def _unknown(self, raw: dict[Any, Any]) -> _Broken:
        name = min((str(name) for name in raw if name not in self._names), default="")
        source = self.source
        broken = _Broken("unknown", f"is not a field of {source.name}; it has {', '.join(source.fields)}")
        broken.field = ascii(name[:_SHOWN])[1:-1]
        return broken

    def _record(self, values: dict[str, Value], received_at: Micros) -> Record:
        source = self.source
        key, time = values[source.key], values[source.time]
        if not key:
            raise _on(source.key, "empty", "is the key, and must not be empty")
        known_at = source.known_at(time, received_at)  # type: ignore[arg-type]
        if known_at - received_at > FUTURE_LIMIT:
            raise _on(source.time, "future", "lies so far ahead that the record cannot be known yet")
        return Record(source.name, key, time, known_at, received_at, values)  # type: ignore[arg-type]


def _missing(is_null: bool) -> _Broken:  # noqa: FBT001 - says how it is missing
    return _Broken("required", "is required; it is " + ("null" if is_null else "missing"))


def _on(field: str, rule: str, message: str) -> _Broken:
    broken = _Broken(rule, message)
    broken.field = field
    return broken


def _rejection(raw: Any, index: int, broken: _Broken) -> Rejection:
    message = f"{broken.field} {broken.message}" if broken.field else broken.message
    return Rejection(index, broken.field, broken.rule, message, raw)


@lru_cache(maxsize=256)
def contract_of(source: Source) -> Contract:
    """The source's contract, compiled when it is first asked for."""
    return Contract(source)


def check_values(source: Source, raw: Any, index: int, required: Collection[str]) -> dict[str, Value] | Rejection:
    """The values of something that has a source's fields without being its record; see ``Contract.check_values``."""
    return contract_of(source).check_values(raw, index, required)


def check_all(
    source: Source, raws: Sequence[Any], received_at: Micros, first_index: int = 0
) -> tuple[list[Record], list[Rejection]]:
    """The records and the rejections of one array.

    A record that stands in the array twice is taken once; the same key with another content is rejected, since
    nothing says which of the two is right.
    """
    check = contract_of(source).check
    records: dict[str, Record] = {}
    rejections: list[Rejection] = []
    for index, raw in enumerate(raws, first_index):
        found = check(raw, index, received_at)
        if isinstance(found, Rejection):
            rejections.append(found)
        elif records.setdefault(found.key, found).values != found.values:
            message = f"key {shown(found.key)} stands in this array before, with other values"
            rejections.append(Rejection(index, source.key, "duplicate", message, raw))
    return list(records.values()), rejections
