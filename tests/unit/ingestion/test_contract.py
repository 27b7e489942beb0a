"""What a contract accepts, in which form, and what it answers otherwise."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smallbox.define import Source, boolean, integer, number, text, timestamp
from smallbox.ingestion.contract import check_all, check_values, contract_of
from smallbox.records import Record, Rejection
from smallbox.times import DAY, HOUR, parse_day

NOW = parse_day("2013-01-31")
source = Source(
    "readings",
    key="id",
    time="at",
    known_after="1h",
    fields={
        "id": text(),
        "at": timestamp(),
        "place": text(choices=("north", "south"), nullable=True),
        "level": number(minimum=-1, maximum=10, nullable=True),
        "size": number(nullable=True),
        "steps": integer(minimum=0, nullable=True),
        "ok": boolean(nullable=True),
    },
)
GOOD = {"id": "a", "at": "2013-01-30T12:00:00+02:00"}


def check(**changes: Any) -> Record | Rejection:
    """The good record with some fields changed."""
    return contract_of(source).check({**GOOD, **changes}, 7, NOW)


def accepted(**changes: Any) -> Record:
    """The same, and it is accepted."""
    found = check(**changes)
    assert isinstance(found, Record)
    return found


def test_a_good_record_gets_its_times() -> None:
    """The event time is in UTC, and the declared delay says when the record was known."""
    record = accepted()
    assert record.time == NOW - 14 * HOUR
    assert record.known_at == NOW - 13 * HOUR
    assert record.values["ok"] is None


@pytest.mark.parametrize(
    ("changes", "field", "rule"),
    [
        ({"colour": 1}, "colour", "unknown"),
        ({"id": None}, "id", "required"),
        ({"id": ""}, "id", "empty"),
        ({"id": 7}, "id", "type"),
        ({"id": "x" * 257}, "id", "length"),
        ({"id": "\ud800"}, "id", "text"),
        ({"place": "west"}, "place", "choices"),
        ({"level": True}, "level", "type"),
        ({"level": "3"}, "level", "type"),
        ({"level": float("nan")}, "level", "finite"),
        ({"size": float("inf")}, "size", "finite"),
        ({"size": 10**400}, "size", "maximum"),
        ({"level": -2}, "level", "minimum"),
        ({"level": 10.5}, "level", "maximum"),
        ({"steps": 1.5}, "steps", "type"),
        ({"steps": -1}, "steps", "minimum"),
        ({"ok": 1}, "ok", "type"),
        ({"at": "2013-01-30T12:00:00"}, "at", "type"),
        ({"at": 5}, "at", "type"),
        ({"at": datetime(2013, 1, 30)}, "at", "type"),  # noqa: DTZ001 - without an offset on purpose
        ({"at": "2013-02-02T00:00:00Z"}, "at", "future"),
    ],
)
def test_a_broken_rule_is_named(changes: dict[str, Any], field: str, rule: str) -> None:
    """A rejection names the field and the rule, keeps the index and what was sent, and can be written as JSON."""
    found = check(**changes)
    assert isinstance(found, Rejection)
    assert (found.field, found.rule, found.index) == (field, rule, 7)
    assert found.record == {**GOOD, **changes} or rule == "finite"
    json.dumps(found.as_json()).encode()


def test_what_means_the_same_is_the_same() -> None:
    """3 and 3.0, zero and negative zero, a text and a datetime of one moment give one digest."""
    moment = datetime(2013, 1, 30, 10, tzinfo=UTC)
    one, two = accepted(size=3, steps=4.0, level=0), accepted(size=3.0, steps=4, level=-0.0, at=moment)
    assert one.digest == two.digest


def test_an_array_with_a_repeated_key() -> None:
    """The same record twice counts once; another content under one key is rejected where it stands."""
    other = {**GOOD, "size": 1}
    records, rejections = check_all(source, [GOOD, dict(GOOD), other, 3], NOW, first_index=10)
    assert [r.key for r in records] == ["a"]
    assert [(r.index, r.rule) for r in rejections] == [(12, "duplicate"), (13, "object")]


def test_values_without_their_record() -> None:
    """Only the fields that are asked for must be there."""
    assert isinstance(check_values(source, {"level": 3}, 0, required=("level",)), dict)
    found = check_values(source, {"level": 3}, 0, required=("level", "id"))
    assert isinstance(found, Rejection)
    assert found.rule == "required"


def test_the_present_of_a_replay_decides_what_lies_ahead() -> None:
    """What lies in the future is decided by the moment of receipt that the caller states."""
    found = contract_of(source).check(GOOD, 0, NOW - 4 * DAY)
    assert isinstance(found, Rejection)
    assert found.rule == "future"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(raw=json_values | st.dictionaries(st.sampled_from([*source.fields, "x"]), json_values))
def test_no_json_raises(raw: Any) -> None:
    """Whatever JSON is sent is a record or a rejection whose answer can be encoded."""
    found = contract_of(source).check(raw, 0, NOW)
    json.dumps(found.as_json()).encode()
