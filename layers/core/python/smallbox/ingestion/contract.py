"""The row validator: checks one sent record against its source's contract, and returns a record or a rejection.

Values are normalised, so that equal values have equal content hashes. A number becomes a ``float``, and -0.0 becomes
0.0. ``3.0`` sent for an integer becomes 3, because JSON does not distinguish them. A timestamp becomes microseconds. A
boolean is not a number, and a number in quotes is a text.
"""

from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from typing import Any

from smallbox.define.source import FAR_AHEAD, FUTURE_LIMIT, LONG_AGO, Source
from smallbox.ingestion.field_checks import HIDDEN, MISSING, NOT_SHOWN, SHOWN, Broken, listed, shown, test_of
from smallbox.records import Record, Rejection, Value
from smallbox.times import Micros


class Contract:
    """The compiled contract of a source."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._names = frozenset(source.fields)
        self._tests = tuple((n, test_of(f), f.nullable) for n, f in source.fields.items())

    def check(self, raw: Any, index: int, received_at: Micros) -> Record | Rejection:
        """Validate one record; a rejection names the first rule that it breaks.

        Args:
            raw: one record as it was sent, of any type.
            index: its position in its array or file, for the rejection.
            received_at: the present, or the moment of a replay, microseconds.
        """
        try:
            return self._record(self._values(raw, self._names), raw, received_at)
        except Broken as broken:
            return self.rejection(raw, index, broken)

    def check_values(self, raw: Any, index: int, required: Collection[str]) -> dict[str, Value] | Rejection:
        """Validate only the values. Fields that are not ``required`` may be missing, and are null then."""
        try:
            return self._values(raw, required)
        except Broken as broken:
            return self.rejection(raw, index, broken)

    def rejection(self, raw: Any, index: int, broken: Broken) -> Rejection:
        """The rejection for a broken rule. Its message hides personal values, and whole records that may hold one."""
        name = broken.field or "the record"
        if broken.value is NOT_SHOWN:
            return Rejection(index, broken.field, broken.rule, f"{name} {broken.demand}", raw)
        personal = self.source.personal
        is_personal = broken.field in personal if broken.field else bool(personal)
        is_sent = broken.value is not MISSING and broken.value is not None
        value = HIDDEN if is_personal and is_sent else shown(broken.value)
        message = f"{name} is {value}; {broken.demand}"
        return Rejection(index, broken.field, broken.rule, message, raw, value)

    def _values(self, raw: Any, required: Collection[str]) -> dict[str, Value]:
        if type(raw) is not dict:
            raise Broken("object", "it must be a JSON object", raw)
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
                    raise _missing(is_null=name in raw)
        except Broken as broken:
            broken.field = name
            raise
        return values

    def _unknown(self, raw: dict[Any, Any]) -> Broken:
        # the value is not shown: an undeclared field may be personal
        name = min((str(name) for name in raw if name not in self._names), default="")
        source = self.source
        demand = f"is not a field of {source.name}; it has {listed(tuple(source.fields))}"
        return Broken("unknown", demand, field=ascii(name[:SHOWN])[1:-1] or "''")

    def _record(self, values: dict[str, Value], raw: dict[str, Any], received_at: Micros) -> Record:
        source = self.source
        key, time = values[source.key], values[source.time]
        if not key:
            raise Broken("empty", "it is the key, and must not be empty", key, source.key)
        known_at = source.known_at(time, received_at)  # type: ignore[arg-type]
        if known_at - received_at > FUTURE_LIMIT or time - received_at > FAR_AHEAD:  # type: ignore[operator]
            demand = "it is too far in the future; check the clock and the unit of the sender"
            raise Broken("future", demand, raw[source.time], source.time)
        if time < LONG_AGO:  # type: ignore[operator]
            demand = "it is before 1900, like a date that was never set"
            raise Broken("past", demand, raw[source.time], source.time)
        return Record(source.name, key, time, known_at, received_at, values)  # type: ignore[arg-type]


def _missing(*, is_null: bool) -> Broken:
    return Broken("required", "it must have a value", None if is_null else MISSING)


@lru_cache(maxsize=256)
def contract_of(source: Source) -> Contract:
    """The source's compiled contract; cached."""
    return Contract(source)


def check_values(source: Source, raw: Any, index: int, required: Collection[str]) -> dict[str, Value] | Rejection:
    """Validate values that have a source's fields but are not a record of it; see ``Contract.check_values``."""
    return contract_of(source).check_values(raw, index, required)


def check_all(
    source: Source, raws: Sequence[Any], received_at: Micros, first_index: int = 0
) -> tuple[list[Record], list[Rejection]]:
    """Validate the records of one array.

    An exact duplicate is accepted once. A second record with the same key and other values is rejected, because it is
    unknown which of the two is right.
    """
    records, rejections = check_numbered(source, enumerate(raws, first_index), received_at)
    return list(records.values()), rejections


def check_numbered(
    source: Source, raws: Iterable[tuple[int, Any]], received_at: Micros
) -> tuple[dict[int, Record], list[Rejection]]:
    """Like :func:`check_all`, for pairs of ascending index and raw record; returns the records by index."""
    contract = contract_of(source)
    first: dict[str, int] = {}
    records: dict[int, Record] = {}
    rejections: list[Rejection] = []
    for index, raw in raws:
        found = contract.check(raw, index, received_at)
        if isinstance(found, Rejection):
            rejections.append(found)
        elif records.setdefault(first.setdefault(found.key, index), found).values != found.values:
            demand = "an earlier record in this array has the same key and other values"
            rejections.append(contract.rejection(raw, index, Broken("duplicate", demand, found.key, source.key)))
    return records, rejections
