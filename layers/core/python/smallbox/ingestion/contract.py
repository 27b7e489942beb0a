"""A source's contract, compiled: from what a sender sent to a record, or to the reason why not.

Values are brought to one form, so that what means the same has the same digest: a number becomes a ``float`` and
negative zero zero, ``3.0`` sent for an integer becomes 3 (JSON has no other way to tell them apart), a moment
becomes microseconds. A boolean is not a number, and a number in quotes is a text.
"""

from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from typing import Any

from smallbox.define.source import FAR_AHEAD, FUTURE_LIMIT, LONG_AGO, Source
from smallbox.ingestion.values import HIDDEN, MISSING, NOT_SHOWN, SHOWN, Broken, listed, shown, test_of
from smallbox.records import Record, Rejection, Value
from smallbox.times import Micros


class Contract:
    """A source's rules, compiled once.

    Args:
        source: whose rules.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self._names = frozenset(source.fields)
        self._tests = tuple((n, test_of(f), f.nullable) for n, f in source.fields.items())

    def check(self, raw: Any, index: int, received_at: Micros) -> Record | Rejection:
        """The record, or why it is none: the first rule that it breaks.

        Args:
            raw: one record as it was sent, of any type.
            index: where it stood, for the rejection.
            received_at: the present, or a replay's.
        """
        try:
            return self._record(self._values(raw, self._names), raw, received_at)
        except Broken as broken:
            return self.rejection(raw, index, broken)

    def check_values(self, raw: Any, index: int, required: Collection[str]) -> dict[str, Value] | Rejection:
        """Only the values; fields that are not ``required`` may be left out, and then are null."""
        try:
            return self._values(raw, required)
        except Broken as broken:
            return self.rejection(raw, index, broken)

    def rejection(self, raw: Any, index: int, broken: Broken) -> Rejection:
        """What the sender is told. A personal value is not: nor is a whole record that may hold one."""
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
        # its value is not shown: nobody has said whether it is personal
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
            demand = "it lies so far ahead that the record cannot be known yet"
            raise Broken("future", demand, raw[source.time], source.time)
        if time < LONG_AGO:  # type: ignore[operator]
            raise Broken("past", "it lies before 1900, like a date that was never set", raw[source.time], source.time)
        return Record(source.name, key, time, known_at, received_at, values)  # type: ignore[arg-type]


def _missing(*, is_null: bool) -> Broken:
    return Broken("required", "it must have a value", None if is_null else MISSING)


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
    records, rejections = check_numbered(source, enumerate(raws, first_index), received_at)
    return list(records.values()), rejections


def check_numbered(
    source: Source, raws: Iterable[tuple[int, Any]], received_at: Micros
) -> tuple[dict[int, Record], list[Rejection]]:
    """As :func:`check_all`, of raws with their indices, which ascend; the records by index."""
    contract = contract_of(source)
    first: dict[str, int] = {}
    records: dict[int, Record] = {}
    rejections: list[Rejection] = []
    for index, raw in raws:
        found = contract.check(raw, index, received_at)
        if isinstance(found, Rejection):
            rejections.append(found)
        elif records.setdefault(first.setdefault(found.key, index), found).values != found.values:
            demand = "it stands in this array before, with other values"
            rejections.append(contract.rejection(raw, index, Broken("duplicate", demand, found.key, source.key)))
    return records, rejections
