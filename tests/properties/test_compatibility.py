"""The law of compatible contracts: what the old one accepts, the new one accepts; and a tightened one refuses some."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from smallbox.define import Source, boolean, integer, number, text, timestamp
from smallbox.define.compatibility import ContractChange, changes
from smallbox.define.contract_document import contract_of_source, contract_version
from smallbox.define.fields import Field
from smallbox.ingestion.contract import contract_of
from smallbox.records import Record
from smallbox.times import to_micros

NOW: Final = to_micros(datetime(2024, 1, 1, tzinfo=UTC))
KEY: Final = {"id": text(), "at": timestamp()}
NAMES: Final = ("a", "b", "c")
PATTERNS: Final = ("a+", "[ab]{1,2}", "b?")
TEXTS: Final = ("", "a", "aa", "b", "ab", "c")

_bounds = st.none() | st.integers(-3, 3)
_flags = st.booleans()


@st.composite
def _numbers(draw: st.DrawFn) -> Field:
    least, most = draw(_bounds), draw(_bounds)
    if least is not None and most is not None:
        least, most = sorted((least, most))
    kind, unit = draw(st.sampled_from([number, integer])), draw(st.sampled_from(["", "m"]))
    return kind(minimum=least, maximum=most, nullable=draw(_flags), pii=draw(_flags), unit=unit)


@st.composite
def _texts(draw: st.DrawFn) -> Field:
    choices = tuple(draw(st.lists(st.sampled_from(TEXTS), max_size=3)))
    pattern = "" if choices else draw(st.sampled_from(("", *PATTERNS)))
    return text(choices=choices, pattern=pattern, nullable=draw(_flags), pii=draw(_flags))


_others = st.builds(lambda kind, nullable: kind(nullable=nullable), st.sampled_from([boolean, timestamp]), _flags)
_fields = _numbers() | _texts() | _others
_contracts = st.dictionaries(st.sampled_from(NAMES), _fields).map(
    lambda fields: Source("orders", key="id", time="at", fields={**KEY, **fields})
)
_VALUES: Final[Mapping[str, st.SearchStrategy[Any]]] = {
    "number": st.integers(-4, 4) | st.floats(-4, 4),
    "integer": st.integers(-4, 4),
    "text": st.sampled_from(TEXTS),
    "boolean": _flags,
    "timestamp": st.just("2023-12-31T00:00:00Z"),
}


@st.composite
def _near(draw: st.DrawFn, source: Source) -> Source:
    """A contract like this one: some fields are changed, and one may have been added."""
    fields = dict(source.fields)
    for name in draw(st.sets(st.sampled_from(NAMES))):
        old = fields.get(name)
        kinds = {"number": _numbers(), "integer": _numbers(), "text": _texts()}
        fields[name] = draw(_fields if old is None else kinds.get(old.type, _others))
    return replace(source, fields=fields)


@st.composite
def _accepted(draw: st.DrawFn, source: Source) -> dict[str, Any]:
    """A record that the contract accepts; a field that may be null is null, left out, or has a value."""
    raw: dict[str, Any] = {"id": "1", "at": "2023-12-31T00:00:00Z"}
    for name, field in source.fields.items():
        if name not in KEY:
            raw[name] = draw(_VALUES[field.type] | st.none())
    assume(_takes(source, raw))
    return {name: value for name, value in raw.items() if value is not None or draw(_flags)}


def _takes(source: Source, raw: Mapping[str, Any]) -> bool:
    return isinstance(contract_of(source).check(dict(raw), 0, NOW), Record)


def _between(before: Source, after: Source) -> list[ContractChange]:
    return changes(contract_of_source(before), contract_of_source(after))


@given(data=st.data(), before=_contracts)
@settings(max_examples=500)
def test_a_compatible_contract_accepts_what_the_old_one_accepted(data: st.DataObject, before: Source) -> None:
    """If every change is compatible, no record that was accepted is refused."""
    after, raw = data.draw(_near(before)), data.draw(_accepted(before))
    found = _between(before, after)
    is_compatible = all(change.is_compatible for change in found)
    is_refused = not _takes(after, raw)
    event(f"{len(found)} changes, compatible: {is_compatible}, refused: {is_refused}")
    assert not (is_compatible and is_refused)


@given(data=st.data(), field=_numbers() | _texts())
@settings(max_examples=500)
def test_a_tightened_contract_refuses_a_record_that_was_accepted(data: st.DataObject, field: Field) -> None:
    """A raised minimum, a lowered maximum, lost choices or a value that became required: some old record breaks it.

    A pattern is not compared with another one, nor with choices, and a mark as personal refuses no record.
    """
    like = data.draw(_texts() if field.type == "text" else _numbers())
    is_listed = bool(field.pattern and (like.pattern or like.choices))
    other = replace(like, type=field.type, pii=field.pii, pattern="" if is_listed else like.pattern)
    other = replace(other, choices=() if is_listed else like.choices)
    before, after = (Source("orders", key="id", time="at", fields={**KEY, "a": one}) for one in (field, other))
    if {change.kind for change in _between(before, after)} & {"tightened", "made_required"}:
        event("tightened")
        values = [None, *(TEXTS if field.type == "text" else range(-4, 5))]
        records = [{"id": "1", "at": "2023-12-31T00:00:00Z", "a": value} for value in values]
        assert [raw for raw in records if _takes(before, raw) and not _takes(after, raw)]


@given(before=_contracts, data=st.data())
def test_a_contract_has_changed_when_its_version_has(before: Source, data: st.DataObject) -> None:
    """Two contracts have changes between them exactly when their versions differ; back and forth."""
    after = data.draw(_near(before))
    is_same = contract_version(contract_of_source(before)) == contract_version(contract_of_source(after))
    assert is_same == (_between(before, after) == []) == (_between(after, before) == [])
