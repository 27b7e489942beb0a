"""Proves the daily join: what it reports, and that each prediction ends as one join of everything would have it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smallbox.define.fields import boolean
from smallbox.define.log_columns import logged_types
from smallbox.define.model import Model
from smallbox.define.project import project_of
from smallbox.define.rules import Label
from smallbox.documents.daily_run import DayDocument
from smallbox.errors import InvalidInput, NotFound
from smallbox.feedback.join import JoinTask
from smallbox.labels.join import ASKED_LATE, LABELLED, PENDING, UNLABELLED
from smallbox.lake.names import labelled_table, predictions_table, records_table
from smallbox.lake.schemas import LABELLED_COLUMNS, prediction_schema, records_to_table
from smallbox.records import Record
from smallbox.registry.routing import Routing, first_champion
from smallbox.registry.store import Registry
from smallbox.times import DAY, HOUR, format_moment
from tests.fakes.documents import FakeDocuments
from tests.fakes.lake import FakeLake
from tests.fakes.small import deliveries, late_parcel
from tests.fakes.versions import add_version

PROJECT = project_of([late_parcel])
MODEL = late_parcel.name
DAYS = 6
WINDOW = 24


def registry_of(*models: Model, serving: Routing) -> Registry:
    """A registry with a version of each of these definitions."""
    registry = Registry(FakeDocuments())
    for model in models:
        add_version(registry, model, status="retired")
    registry.route(MODEL, serving)
    return registry


REGISTRY = registry_of(late_parcel, serving=first_champion(1, 0))


@dataclass(frozen=True, slots=True)
class Asked:
    """A prediction: its key, the hour it was asked, the hour of its event, and the version that answered."""

    key: str
    hour: int
    event: int
    version: int = 1


Outcome = tuple[str, int, bool]
ASKED = st.builds(Asked, st.sampled_from("abc"), st.integers(0, DAYS * 24 - 1), st.integers(-24, (DAYS + 2) * 24))
OUTCOMES = st.tuples(st.sampled_from("abc"), st.integers(-48, (DAYS + 3) * 24), st.booleans())


def log_of(asked: Sequence[Asked]) -> pa.Table:
    """The prediction log of what was asked."""
    rows = [
        {
            "id": str(at),
            "key": a.key,
            "time": a.hour * HOUR,
            "event_time": a.event * HOUR,
            "version": a.version,
            "arm": "champion" if a.version else "fallback",
            "score": 0.25,
        }
        for at, a in enumerate(asked)
    ]
    return pa.Table.from_pylist(rows, schema=prediction_schema(logged_types(late_parcel)))


def records_of(outcomes: Sequence[Outcome]) -> pa.Table:
    """Outcomes as records, known at their hour."""
    return records_to_table(
        deliveries,
        [
            Record(
                "deliveries", key, hour * HOUR, hour * HOUR, hour * HOUR,
                {"parcel_id": key, "delivered_at": hour * HOUR, "depot": "d", "delay": 0.0, "late": value},
            )
            for key, hour, value in outcomes
        ],
    )  # fmt: skip


def naive(asked: Asked, outcomes: Sequence[Outcome], now: int, window: int = WINDOW) -> tuple[str, bool | None]:
    """The rule, one prediction and one outcome at a time."""
    closes = asked.event + window
    own = [(hour, value) for key, hour, value in outcomes if key == asked.key]
    if asked.hour >= closes or any(hour <= asked.hour for hour, _ in own):
        return ASKED_LATE, None
    in_time = [value for hour, value in own if hour <= min(closes, now)]
    if in_time:
        return LABELLED, in_time[-1]
    return (UNLABELLED, None) if closes <= now else (PENDING, None)


def joined(lake: FakeLake) -> Mapping[str, tuple[str, bool | None]]:
    """Status and label by id."""
    rows = lake.read(labelled_table(MODEL))
    if rows is None:
        return {}
    found = {row["id"]: (row["status"], row["label"]) for row in rows.to_pylist()}
    assert len(found) == rows.num_rows
    return found


@settings(max_examples=100)
@given(
    st.lists(ASKED, min_size=1, max_size=12),
    st.lists(OUTCOMES, max_size=6, unique_by=lambda outcome: outcome[0]),
    st.lists(st.integers(1, DAYS + 3), max_size=3),
)
def test_each_days_join_is_a_join_of_everything(asked: list[Asked], outcomes: list[Outcome], again: list[int]) -> None:
    """Each row is in the table once, as the naive rule has it; settled ones stay, also when older days run again."""
    lake = FakeLake()
    lake.append(predictions_table(MODEL), log_of(asked))
    lake.append(records_table(deliveries), records_of(outcomes))
    before: Mapping[str, tuple[str, bool | None]] = {}
    metrics = FakeDocuments()
    for day in range(1, DAYS + 4):
        JoinTask(PROJECT, lake, REGISTRY, metrics).run({"model": MODEL, "as_of": format_moment(day * DAY)}, day * DAY)
        now = joined(lake)
        expected = {str(at): naive(a, outcomes, day * 24) for at, a in enumerate(asked) if a.hour < day * 24}
        assert now == expected
        settled = {name: said for name, said in before.items() if said[0] != PENDING}
        assert settled.items() <= now.items()
        before = now
    for day in again:
        JoinTask(PROJECT, lake, REGISTRY, metrics).run(
            {"model": MODEL, "as_of": format_moment(day * DAY)}, (DAYS + 3) * DAY
        )
        assert joined(lake) == before


def one_of_each() -> FakeLake:
    """Predictions of each status by the end of the third day; the last one's window is over, its day is not."""
    lake = FakeLake()
    asked = [Asked("a", 26, 26), Asked("b", 27, 27), Asked("c", 60, 60), Asked("a", 30, 2), Asked("d", 50, 40)]
    lake.append(predictions_table(MODEL), log_of(asked))
    lake.append(records_table(deliveries), records_of([("a", 31, True)]))
    return lake


def test_the_join_passes_its_document_on_with_what_it_found() -> None:
    """Counts by status, and the coverage of the newest day whose windows are over: late askings are no part of it."""
    document: DayDocument = {"model": MODEL, "as_of": format_moment(3 * DAY), "day": "stays"}
    assert JoinTask(PROJECT, one_of_each(), REGISTRY, FakeDocuments()).run(document, 9 * DAY) == {
        **document,
        "feedback": {
            "labelled": 1, "pending": 1, "unlabelled": 2, "asked_late": 1,
            "coverage": 0.5, "coverage_day": "1970-01-02", "restated": 0, "unmatched": 0, "breaker": "",
        },
    }  # fmt: skip


def test_a_labelled_row_says_when_its_label_was_known_and_by_which_join() -> None:
    """What monitoring and the review read: the prediction's own columns, its label, and the moments of both."""
    lake = one_of_each()
    JoinTask(PROJECT, lake, REGISTRY, FakeDocuments()).run({"model": MODEL, "as_of": format_moment(3 * DAY)}, 9 * DAY)
    rows = lake.read(labelled_table(MODEL))
    assert rows is not None
    (row,) = [row for row in rows.to_pylist() if row["id"] == "0"]
    assert row == {
        **dict.fromkeys(LABELLED_COLUMNS), "id": "0", "key": "a", "version": 1, "arm": "champion", "score": 0.25,
        "time": 26 * HOUR, "event_time": 26 * HOUR,
        "label": True, "label_known_at": 31 * HOUR, "status": LABELLED,
        "settles_from": 26 * HOUR, "joined_as_of": 3 * DAY,
    }  # fmt: skip


def test_without_a_moment_the_join_is_of_the_last_midnight() -> None:
    """A day's machine says only which model: what became known since midnight waits for the next day."""
    lake = one_of_each()
    lake.append(records_table(deliveries), records_of([("c", 73, True)]))
    found = JoinTask(PROJECT, lake, REGISTRY, FakeDocuments()).run({"model": MODEL}, 3 * DAY + 5 * HOUR)
    assert (found["as_of"], found["feedback"]["pending"]) == (format_moment(3 * DAY), 1)


def test_a_system_without_predictions_joins_nothing() -> None:
    """Neither a log nor an outcome is there: the counts are zero, no coverage is claimed, and nothing is written."""
    lake = FakeLake()
    found = JoinTask(PROJECT, lake, REGISTRY, FakeDocuments()).run(
        {"model": MODEL, "as_of": format_moment(3 * DAY)}, 3 * DAY
    )
    nothing = dict.fromkeys((LABELLED, PENDING, UNLABELLED, ASKED_LATE), 0)
    assert found["feedback"] == {
        **nothing,
        "coverage": None,
        "coverage_day": "1970-01-02",
        "restated": 0,
        "unmatched": 0,
        "breaker": "",
    }
    assert lake.read(labelled_table(MODEL)) is None


def test_a_join_that_cannot_be_is_refused() -> None:
    """An unknown model, and a moment that is still to come."""
    task = JoinTask(PROJECT, one_of_each(), REGISTRY, FakeDocuments())
    with pytest.raises(NotFound, match="nobody"):
        task.run({"model": "nobody", "as_of": format_moment(DAY)}, 3 * DAY)
    with pytest.raises(InvalidInput, match="as_of"):
        task.run({"model": MODEL, "as_of": format_moment(4 * DAY)}, 3 * DAY)


SCANS = replace(deliveries, name="scans", fields={**deliveries.fields, "damaged": boolean()})
DAMAGED = replace(late_parcel, label=Label("scans", "parcel_id", "damaged", "24h", objective=late_parcel.objective))
LONG = replace(late_parcel, label=replace(late_parcel.label, within="72h"))
SHORT = replace(late_parcel, label=replace(late_parcel.label, within="6h"))


def scans_of(outcomes: Sequence[Outcome]) -> pa.Table:
    """Outcomes of another source: whether a parcel was damaged, known at their hour."""
    return records_to_table(
        SCANS,
        [
            Record(
                "scans", key, hour * HOUR, hour * HOUR, hour * HOUR,
                {
                    "parcel_id": key, "delivered_at": hour * HOUR, "depot": "d", "delay": 0.0, "late": None,
                    "damaged": value,
                },
            )
            for key, hour, value in outcomes
        ],
    )  # fmt: skip


def joined_at(hour: int, lake: FakeLake, registry: Registry, deployed: Model) -> Mapping[str, tuple[str, bool | None]]:
    """What the join of a moment writes."""
    task = JoinTask(project_of([deployed], [deliveries, SCANS]), lake, registry, FakeDocuments())
    task.run({"model": MODEL, "as_of": format_moment(hour * HOUR)}, hour * HOUR)
    return joined(lake)


def test_each_prediction_meets_the_label_of_the_version_that_answered() -> None:
    """Windows of 24, 72 and 6 hours, and another field of another source, whatever the definition predicts today."""
    registry = registry_of(late_parcel, LONG, DAMAGED, serving=Routing(1, challenger=2))
    lake = FakeLake()
    asked = [Asked("a", 24, 24, version) for version in (1, 2, 3, 0)]
    lake.append(predictions_table(MODEL), log_of(asked))
    lake.append(records_table(deliveries), records_of([("a", 60, True)]))
    lake.append(records_table(SCANS), scans_of([("a", 47, False)]))
    assert joined_at(72, lake, registry, SHORT) == {
        "0": (UNLABELLED, None),  # 36 hours are more than 24
        "1": (LABELLED, True),
        "2": (LABELLED, False),
        "3": (UNLABELLED, None),  # the fallback has the definition's label
    }


@pytest.mark.parametrize(
    ("serving", "label"),
    [(Routing(2), (LABELLED, True)), (Routing(1, challenger=2), (LABELLED, True)), (Routing(1), (PENDING, None))],
    ids=["champion", "challenger", "not live"],
)
def test_the_longest_window_of_the_live_versions_stays_open(serving: Routing, label: tuple[str, bool | None]) -> None:
    """A label after the definition's own window still meets the prediction of a version that waits for it."""
    registry, lake = registry_of(SHORT, LONG, serving=serving), FakeLake()
    lake.append(predictions_table(MODEL), log_of([Asked("a", 2, 2, version=2)]))
    assert joined_at(24, lake, registry, SHORT) == {"0": (PENDING, None)}
    lake.append(records_table(deliveries), records_of([("a", 70, True)]))
    assert joined_at(96, lake, registry, SHORT) == {"0": label}


@settings(max_examples=50)
@given(
    st.lists(st.builds(replace, ASKED, version=st.integers(1, 3)), min_size=1, max_size=12),
    st.lists(OUTCOMES, max_size=6, unique_by=lambda outcome: outcome[0]),
)
def test_the_days_of_versions_with_other_windows_are_a_join_of_everything(
    asked: list[Asked], outcomes: list[Outcome]
) -> None:
    """Day by day each row is as the naive rule has it with the window of its own version."""
    windows = {1: 24, 2: 72, 3: 6}
    registry = registry_of(late_parcel, LONG, SHORT, serving=Routing(1, challenger=2, previous=3))
    lake = FakeLake()
    lake.append(predictions_table(MODEL), log_of(asked))
    lake.append(records_table(deliveries), records_of(outcomes))
    for day in range(1, DAYS + 5):
        expected = {
            str(at): naive(one, outcomes, day * 24, windows[one.version])
            for at, one in enumerate(asked)
            if one.hour < day * 24
        }
        assert joined_at(day * 24, lake, registry, late_parcel) == expected
