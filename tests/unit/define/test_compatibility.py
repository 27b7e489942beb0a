"""Proves what a change of a contract is called, and which changes are compatible."""

from dataclasses import replace
from typing import Any, Final

import pytest

from smallbox.define import Source, boolean, integer, number, text, timestamp
from smallbox.define.compatibility import changes
from smallbox.define.contract_document import contract_of_source, contract_version
from smallbox.define.fields import Field

SOURCE: Final = Source(
    "orders",
    key="id",
    time="at",
    fields={"id": text(), "at": timestamp(), "other_id": text(), "other_at": timestamp(), "field": number()},
    known_after="1h",
)


def _with(field: Field | None, name: str = "field") -> Source:
    fields = {**SOURCE.fields, name: field}
    return replace(SOURCE, fields={n: f for n, f in fields.items() if f is not None})


def _changes(before: Source, after: Source) -> list[tuple[str, str, str]]:
    return [(c.field, c.kind, c.what) for c in changes(contract_of_source(before), contract_of_source(after))]


FIELDS: Final[list[tuple[Field, Field, str, str]]] = [
    (number(), integer(), "retyped", "was number and is integer now"),
    (text(), boolean(), "retyped", "was text and is boolean now"),
    (number(unit="m"), number(unit="km"), "retyped", "had the unit 'm' and has 'km' now"),
    (number(), number(unit="km"), "unit_declared", "has the unit 'km' now"),
    (number(unit="km"), number(), "unit_declared", "has no unit any more"),
    (number(nullable=True), number(), "made_required", "may not be null any more"),
    (number(), number(nullable=True), "widened", "may be null now"),
    (number(), number(minimum=0), "tightened", "had the minimum none and has 0 now"),
    (number(minimum=0), number(minimum=1.5), "tightened", "had the minimum 0 and has 1.5 now"),
    (number(minimum=1), number(minimum=0), "widened", "had the minimum 1 and has 0 now"),
    (number(minimum=1), number(), "widened", "had the minimum 1 and has none now"),
    (integer(), integer(maximum=9), "tightened", "had the maximum none and has 9 now"),
    (integer(maximum=9), integer(maximum=8), "tightened", "had the maximum 9 and has 8 now"),
    (integer(maximum=8), integer(maximum=9), "widened", "had the maximum 8 and has 9 now"),
    (integer(maximum=8), integer(), "widened", "had the maximum 8 and has none now"),
    (text(), text(choices=("a",)), "tightened", "is limited to choices now"),
    (text(choices=("a", "b")), text(choices=("a", "c")), "tightened", "lost the choices b"),
    (text(choices=("a",)), text(choices=("b", "a")), "widened", "has more choices now"),
    (text(choices=("a",)), text(), "widened", "may be any text now"),
    (text(), text(pattern="a+"), "tightened", "must match 'a+' now"),
    (text(pattern="a+"), text(pattern="a*"), "tightened", "must match 'a*' now"),
    (text(pattern="a+"), text(), "widened", "may be any text now"),
    (text(pattern="a+"), text(choices=("a",)), "tightened", "is limited to choices now"),
    (text(choices=("a", "aa")), text(pattern="a+"), "widened", "may be any text that matches 'a+' now"),
    (text(choices=("a", "b")), text(pattern="a+"), "tightened", "must match 'a+' now"),
    (number(), number(pii=True), "tightened", "is personal now"),
    (number(pii=True), number(), "widened", "is not personal any more"),
]
"""A field before and after, and the one change between them."""


@pytest.mark.parametrize(("before", "after", "kind", "what"), FIELDS)
def test_a_changed_field_is_one_change(before: Field, after: Field, kind: str, what: str) -> None:
    """Its kind and words; without a change there is none."""
    assert _changes(_with(before), _with(after)) == [("field", kind, what)]
    assert _changes(_with(after), _with(after)) == []


SOURCES: Final[list[tuple[Source, Source, tuple[str, str, str]]]] = [
    (_with(None), _with(number(nullable=True)), ("field", "added_optional", "was added; it may be null")),
    (_with(None), _with(number()), ("field", "added_required", "was added and may not be null")),
    (_with(number()), _with(None), ("field", "removed", "was removed")),
    (SOURCE, replace(SOURCE, key="other_id"), ("other_id", "key_changed", "became the key, instead of 'id'")),
    (
        SOURCE,
        replace(SOURCE, time="other_at"),
        ("other_at", "time_changed", "became the event time, instead of 'at'"),
    ),
    (
        SOURCE,
        replace(SOURCE, known_after="2h"),
        ("", "known_after_changed", "known_after changed from 3600 seconds to 7200 seconds"),
    ),
    (
        SOURCE,
        replace(SOURCE, known_after=None),
        ("", "known_after_changed", "known_after changed from 3600 seconds to None"),
    ),
]


@pytest.mark.parametrize(("before", "after", "change"), SOURCES)
def test_a_changed_source_is_one_change(before: Source, after: Source, change: tuple[str, str, str]) -> None:
    """A field that comes or goes, and the roles of a source's fields."""
    assert _changes(before, after) == [change]


def test_several_changes_are_all_told() -> None:
    """Of one field and of several: the roles first, then the fields in their order, the added ones last."""
    after = replace(_with(number(minimum=0, nullable=True)), known_after="2h")
    after = replace(after, fields={**after.fields, "new": text(), "other_id": text(choices=("a",))})
    found = [(field, kind) for field, kind, _ in _changes(SOURCE, after)]
    assert found == [
        ("", "known_after_changed"), ("other_id", "tightened"), ("field", "widened"), ("field", "tightened"),
        ("new", "added_required"),
    ]  # fmt: skip


def test_the_compatible_kinds() -> None:
    """An optional field, a wider rule and a declared unit are compatible; nothing else is."""
    found = {
        change.kind: change.is_compatible
        for before, after in [(_with(b), _with(a)) for b, a, *_ in FIELDS] + [(b, a) for b, a, _ in SOURCES]
        for change in changes(contract_of_source(before), contract_of_source(after))
    }
    assert {kind for kind, is_compatible in found.items() if is_compatible} == {
        "added_optional", "widened", "unit_declared",
    }  # fmt: skip
    assert len(found) == 11


@pytest.mark.parametrize(
    "same",
    [
        {"fields": dict(reversed(list(SOURCE.fields.items())))},
        {"known_after": "60m"},
        {"lateness": "9d"},
        {"volume": 5, "freshness": "1h"},
        {"name": "purchases"},
    ],
)
def test_a_version_is_of_the_contract_alone(same: dict[str, Any]) -> None:
    """The order of fields, another way to write a delay, and what is no part of the contract change nothing."""
    assert _version(replace(SOURCE, **same)) == _version(SOURCE)


def test_a_choice_or_a_bound_has_one_way_to_be_written() -> None:
    """Choices in another order or twice, and 1 beside 1.0, are the same contract."""
    assert _version(_with(text(choices=("a", "b")))) == _version(_with(text(choices=("b", "a", "a"))))
    assert _version(_with(number(minimum=1))) == _version(_with(number(minimum=1.0)))


@pytest.mark.parametrize(("before", "after", "kind", "what"), FIELDS)
def test_every_change_has_another_version(before: Field, after: Field, kind: str, what: str) -> None:
    """Also a change that is compatible, like a unit that was declared."""
    del kind, what
    assert _version(_with(before)) != _version(_with(after))


def _version(source: Source) -> str:
    return contract_version(contract_of_source(source))
