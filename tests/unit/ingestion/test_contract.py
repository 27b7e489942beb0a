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
        "code": text(pattern="[A-Z]{2}", nullable=True),
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
        ({"at": "1899-12-31T23:59:59Z"}, "at", "past"),
        ({"at": "0001-01-01T00:00:00+14:00"}, "at", "type"),
        ({"at": "9999-12-31T23:59:59-12:00"}, "at", "type"),
        ({"code": "ab"}, "code", "pattern"),
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


@pytest.mark.parametrize(
    ("changes", "value", "message"),
    [
        ({"level": 10.5}, "10.5", "level is 10.5; the greatest allowed is 10"),
        ({"level": "x" * 200}, f"'{'x' * 80}'...", f"level is '{'x' * 80}'...; it must be a number"),
        ({"id": None}, "null", "id is null; it must have a value"),
        ({"place": "w\nest"}, "'w\\nest'", "place is 'w\\nest'; it must be one of north, south"),
        ({"size": 10**400}, "a huge integer", "size is a huge integer; the greatest allowed is 1000000000000"),
        ({"size": [1]}, "an array", "size is an array; it must be a number"),
        (
            {"colour": "red"},
            "",
            "colour is not a field of readings; it has id, at, place, level, size, steps, ok, code",
        ),
    ],
)
def test_a_rejection_shows_the_value_in_a_short_safe_form(changes: dict[str, Any], value: str, message: str) -> None:
    """Value and message say what was sent, on one line, whatever it is; the value of an unknown field is not shown."""
    found = check(**changes)
    assert isinstance(found, Rejection)
    assert (found.value, found.message) == (value, message)


def test_an_event_time_ten_years_ahead_is_a_mistake_whenever_it_is_known() -> None:
    """A source without ``known_after`` takes next year's bookings, and no year that nobody can mean."""
    bookings = Source("bookings", key="id", time="at", fields={"id": text(), "at": timestamp()})
    assert isinstance(contract_of(bookings).check({"id": "a", "at": "2014-01-30T12:00:00Z"}, 0, NOW), Record)
    found = contract_of(bookings).check({"id": "a", "at": "2113-01-30T12:00:00Z"}, 0, NOW)
    assert isinstance(found, Rejection)
    assert (found.field, found.rule, found.value) == ("at", "future", "'2113-01-30T12:00:00Z'")


people = Source(
    "people",
    key="id",
    time="at",
    fields={
        "id": text(),
        "at": timestamp(),
        "name": text(pattern="[A-Z][a-z]+", choices=(), pii=True),
        "plan": text(choices=("free", "paid"), pii=True),
        "age": integer(minimum=0, maximum=120, pii=True),
        "income": number(minimum=0, pii=True),
        "member": boolean(pii=True, nullable=True),
        "born": timestamp(pii=True),
    },
)
HELD = "4711471147"
held = st.sampled_from([HELD, int(HELD), -int(HELD), float(HELD) + 0.5, HELD * 30, f"{HELD}\ud800"])
others = st.none() | st.booleans() | held | st.just([HELD]) | st.just({HELD: HELD})


@settings(max_examples=200)
@given(
    raw=st.fixed_dictionaries({}, optional=dict.fromkeys(people.personal, others)) | held,
    listed=st.booleans(),
)
def test_a_personal_value_is_never_shown(raw: Any, listed: bool) -> None:  # noqa: FBT001 - drawn
    """Whatever rule it breaks, what the sender is told holds no personal value; what goes to quarantine does."""
    sent = {"id": "a", "at": "2013-01-01T00:00:00Z", **raw} if isinstance(raw, dict) else raw
    _, rejections = check_all(people, [sent, sent] if listed else [sent], NOW)
    for rejection in rejections:
        assert HELD[:6] not in json.dumps(rejection.as_json())
        assert rejection.record == sent


def test_hidden_says_that_there_was_a_value() -> None:
    """A personal value is told as hidden, a missing one as missing, and a row that is no object not at all."""
    _, (name, absent, row) = check_all(
        people, [{"id": "a", "at": GOOD["at"], "name": "bob"}, {"id": "b", "at": GOOD["at"]}, "Bob;7"], NOW
    )
    assert (name.field, name.value) == ("name", "hidden")
    assert name.message == "name is hidden; the whole text must match [A-Z][a-z]+"
    assert (absent.value, absent.message) == ("missing", "name is missing; it must have a value")
    assert (row.value, row.message) == ("hidden", "the record is hidden; it must be a JSON object")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=200)
@given(raw=json_values | st.dictionaries(st.sampled_from([*source.fields, "x"]), json_values))
def test_no_json_raises(raw: Any) -> None:
    """Whatever JSON is sent is a record or a rejection whose answer can be encoded."""
    found = contract_of(source).check(raw, 0, NOW)
    json.dumps(found.as_json()).encode()
