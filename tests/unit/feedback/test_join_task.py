"""Proves the daily join: however the days fall, each prediction ends as one join of everything would have it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from smallbox.define.project import project_of
from smallbox.feedback.join import JoinTask
from smallbox.labels.join import ASKED_LATE, LABELLED, PENDING, UNLABELLED
from smallbox.lake.names import labelled_table, predictions_table, records_table
from smallbox.lake.schemas import prediction_schema, records_to_table
from smallbox.records import Record
from smallbox.times import DAY, HOUR, format_moment
from tests.fakes.lake import FakeLake
from tests.fakes.small import deliveries, late_parcel

PROJECT = project_of([late_parcel])
MODEL = late_parcel.name
DAYS = 6
WINDOW = 24


@dataclass(frozen=True, slots=True)
class Asked:
    """A prediction: its key, the hour it was asked and the hour of its event."""

    key: str
    hour: int
    event: int


Outcome = tuple[str, int, bool]
ASKED = st.builds(Asked, st.sampled_from("abc"), st.integers(0, DAYS * 24 - 1), st.integers(-24, (DAYS + 2) * 24))
OUTCOMES = st.tuples(st.sampled_from("abc"), st.integers(-48, (DAYS + 3) * 24), st.booleans())


def log_of(asked: Sequence[Asked]) -> pa.Table:
    """The prediction log of what was asked."""
    rows = [
        {"id": str(at), "key": a.key, "time": a.hour * HOUR, "event_time": a.event * HOUR} for at, a in enumerate(asked)
    ]
    return pa.Table.from_pylist(rows, schema=prediction_schema(late_parcel))


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


def naive(asked: Asked, outcomes: Sequence[Outcome], now: int) -> tuple[str, bool | None]:
    """The rule, one prediction and one outcome at a time."""
    closes = asked.event + WINDOW
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


@settings(max_examples=100, deadline=None)
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
    for day in range(1, DAYS + 4):
        JoinTask(PROJECT, lake).run({"model": MODEL, "as_of": format_moment(day * DAY)}, day * DAY)
        now = joined(lake)
        expected = {str(at): naive(a, outcomes, day * 24) for at, a in enumerate(asked) if a.hour < day * 24}
        assert now == expected
        settled = {name: said for name, said in before.items() if said[0] != PENDING}
        assert settled.items() <= now.items()
        before = now
    for day in again:
        JoinTask(PROJECT, lake).run({"model": MODEL, "as_of": format_moment(day * DAY)}, (DAYS + 3) * DAY)
        assert joined(lake) == before
