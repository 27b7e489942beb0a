"""Proves that the join may run in any steps, and that what comes after a window is a restatement and nothing else."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from smallbox.define.fields import text
from smallbox.define.frozen import freeze, frozen_digest
from smallbox.define.project import project_of
from smallbox.define.rules import Label
from smallbox.feedback.join import JoinTask
from smallbox.labels.join import LABELLED, REMEMBERED, UNLABELLED
from smallbox.labels.stored import LabelFigures
from smallbox.lake.names import labelled_table, predictions_table, records_table, restated_table
from smallbox.lake.schemas import records_to_table
from smallbox.ports import Between
from smallbox.records import Record
from smallbox.registry.routing import first_champion
from smallbox.times import DAY, HOUR, format_moment
from tests.fakes.documents import FakeDocuments
from tests.fakes.lake import FakeLake
from tests.fakes.small import deliveries, late_parcel
from tests.fakes.versions import version_for
from tests.unit.feedback.test_join_task import (
    ASKED,
    DAYS,
    MODEL,
    OUTCOMES,
    PROJECT,
    REGISTRY,
    Asked,
    Outcome,
    joined,
    log_of,
    naive,
    records_of,
    registry_of,
)

Values = dict[str, str | float | int | bool | None]


class Days:
    """A lake and the joins of some days on it."""

    def __init__(self, asked: Sequence[Asked] = ()) -> None:
        self.lake, self.metrics = FakeLake(), FakeDocuments()
        self.lake.append(predictions_table(MODEL), log_of(asked))

    def know(self, key: str, value: bool | None, known: int, received: int | None = None) -> None:  # noqa: FBT001
        """An outcome that became known at an hour, and arrived at another one."""
        at = (known if received is None else received) * HOUR
        values: Values = {"parcel_id": key, "delivered_at": 0, "depot": "d", "delay": 0.0, "late": value}
        record = Record("deliveries", key, 0, known * HOUR, at, values)
        self.lake.append(records_table(deliveries), records_to_table(deliveries, [record]))

    def join(self, day: int) -> Any:
        """The join of a day's end; what it reports."""
        task = JoinTask(PROJECT, self.lake, REGISTRY, self.metrics)
        return task.run({"model": MODEL, "as_of": format_moment(day * DAY)}, day * DAY)["feedback"]

    def restated(self) -> list[tuple[str, bool | None, int]]:
        """Id, new label, and the hour at which it became known."""
        rows = self.lake.read(restated_table(MODEL))
        return [] if rows is None else [(r["id"], r["label"], r["restated_at"] // HOUR) for r in rows.to_pylist()]


@settings(max_examples=60)
@given(
    st.lists(ASKED, min_size=1, max_size=10),
    st.lists(OUTCOMES, max_size=6, unique_by=lambda outcome: outcome[0]),
    st.sets(st.integers(1, DAYS + 3)),
    st.randoms(use_true_random=False),
)
def test_any_cut_into_runs_ends_as_one_join_of_everything(
    asked: list[Asked], outcomes: list[Outcome], cuts: set[int], order: Any
) -> None:
    """Whichever days are joined, and in whatever order the outcomes arrived, the rows are the naive rule's."""
    shuffled, days = list(outcomes), Days(asked)
    order.shuffle(shuffled)
    days.lake.append(records_table(deliveries), records_of(shuffled))
    for day in [*sorted(cuts), DAYS + 4]:
        days.join(day)
    assert joined(days.lake) == {str(at): naive(one, outcomes, (DAYS + 4) * 24) for at, one in enumerate(asked)}


def test_a_correction_after_the_window_is_a_restatement_and_the_label_stays() -> None:
    """What decisions used is still in the labelled row; a correction back to it is a restatement too."""
    days = Days([Asked("a", 1, 1)])
    days.know("a", value=True, known=5)
    days.join(2)
    days.know("a", value=False, known=60)
    assert days.join(3)["restated"] == 1
    days.know("a", value=True, known=80)
    assert days.join(4)["restated"] == 1
    assert joined(days.lake) == {"0": (LABELLED, True)}
    assert days.restated() == [("0", False, 60), ("0", True, 80)]


def test_a_late_a_received_late_and_a_deleted_outcome_are_restatements() -> None:
    """Known after the window; known in time and received after; and retracted: each is told, with a null for none."""
    days = Days([Asked("late", 1, 1), Asked("slow", 1, 1), Asked("gone", 1, 1)])
    days.know("gone", value=True, known=5)
    days.join(2)
    days.know("late", value=True, known=50)
    days.know("slow", value=True, known=6, received=51)
    days.know("gone", value=None, known=52)
    days.join(3)
    assert joined(days.lake) == {"0": (UNLABELLED, None), "1": (UNLABELLED, None), "2": (LABELLED, True)}
    assert sorted(days.restated()) == [("0", True, 50), ("1", True, 6), ("2", None, 52)]


def test_the_same_file_twice_and_a_day_joined_again_change_nothing() -> None:
    """Neither the rows, nor the restatements, nor the counts."""
    days = Days([Asked("a", 1, 1)])
    days.know("a", value=True, known=5)
    days.join(2)
    days.know("a", value=False, known=60)
    first = days.join(3)
    before = days.lake.version(labelled_table(MODEL)), days.restated()
    days.know("a", value=False, known=60, received=75)
    assert days.join(3) == first
    assert days.join(4)["restated"] == 0
    assert (days.lake.version(labelled_table(MODEL)), days.restated()) == before


def test_outcomes_of_predictions_that_were_never_made_are_counted() -> None:
    """Once each, when they came; one that came before its prediction is unmatched, and the prediction asked late."""
    days = Days([Asked("early", 30, 30)])
    for key in ("nobody", "nothing", "early"):
        days.know(key, value=True, known=5)
    days.know("nobody", value=True, known=6)
    assert days.join(1)["unmatched"] == 3
    assert days.join(2)["unmatched"] == 0
    assert joined(days.lake)["0"][0] == "asked_late"


def test_an_outcome_of_long_ago_is_of_an_earlier_request_of_its_key() -> None:
    """Up to 90 days before, the asking was late; before that, the key waits for an outcome of its own."""
    hours = REMEMBERED // HOUR
    days = Days([Asked("a", hours + 1, hours + 1), Asked("b", hours + 1, hours + 1)])
    days.know("a", value=True, known=1)
    days.know("b", value=True, known=2)
    days.know("a", value=False, known=hours + 5)
    days.join(93)
    assert joined(days.lake) == {"0": (LABELLED, False), "1": ("asked_late", None)}


def test_two_predictions_of_one_key_are_told_apart_by_their_id() -> None:
    """Each outcome counts for the prediction that it names, and for no other of the key."""
    answers = replace(deliveries, name="answers", fields={**deliveries.fields, "answer": text(nullable=True)})
    label = Label("answers", "parcel_id", "late", "24h", prediction="answer", objective=late_parcel.objective)
    model, lake = replace(late_parcel, label=label), FakeLake()
    lake.append(predictions_table(MODEL), log_of([Asked("a", 1, 1), Asked("a", 2, 2), Asked("a", 3, 3)]))
    values: Values = {"parcel_id": "a", "delivered_at": 0, "depot": "d", "delay": 0.0}
    named = [("x", "0", True), ("y", "1", False)]
    records = [Record("answers", k, 0, 5 * HOUR, 5 * HOUR, {**values, "late": v, "answer": i}) for k, i, v in named]
    lake.append(records_table(answers), records_to_table(answers, records))
    task = JoinTask(
        project_of([model], [answers]), lake, registry_of(model, serving=first_champion(1, 0)), FakeDocuments()
    )
    task.run({"model": MODEL, "as_of": format_moment(2 * DAY)}, 2 * DAY)
    assert joined(lake) == {"0": (LABELLED, True), "1": (LABELLED, False), "2": (UNLABELLED, None)}


class Counting(FakeLake):
    """A lake that notes how many rows are read, and the ranges that are written."""

    def __init__(self) -> None:
        super().__init__()
        self.read_rows, self.ranges = 0, list[Between]()

    def read(self, *arguments: Any, **named: Any) -> pa.Table | None:
        """As the lake; counts."""
        found = super().read(*arguments, **named)
        self.read_rows += 0 if found is None else found.num_rows
        return found

    def replace(self, table: str, rows: pa.Table, between: Between) -> None:
        """As the lake; notes the range."""
        if table == labelled_table(MODEL):
            self.ranges.append(between)
        super().replace(table, rows, between)


def test_a_day_reads_and_writes_a_day_whatever_the_history() -> None:
    """After 60 days a join reads as many rows as after 20, and writes only the days on which a row changed."""
    days = Days()
    days.lake = Counting()
    read = {}
    for day in range(1, 61):
        rows = log_of([Asked(f"{day}", 24 * day - 12, 24 * day - 12)])
        days.lake.append(predictions_table(MODEL), rows.set_column(0, "id", pa.array([f"{day}"])))
        days.know(f"{day}", value=True, known=24 * day - 6)
        days.lake.read_rows, days.lake.ranges = 0, []
        days.join(day)
        read[day] = days.lake.read_rows
        assert days.lake.ranges == [Between("settles_from", (day - 1) * DAY, day * DAY)]
    assert read[60] == read[20]


def test_the_figures_of_a_day_are_stored() -> None:
    """Delays of the newest settled day by class, what came on the day, and why recent days are not corrected yet."""
    days = Days([Asked("a", 1, 1), Asked("b", 2, 2), Asked("c", 3, 3)])
    days.know("a", value=True, known=7)
    days.know("b", value=False, known=14)
    days.join(2)
    found = LabelFigures(days.metrics, MODEL).day("1970-01-02")
    assert found is not None
    assert (found["settled_day"], found["asked"], found["reported"]) == ("1970-01-01", 3, 2)
    assert {name: counts.index(1) for name, counts in found["delays"].items()} == {"true": 24, "false": 48}
    assert (found["known"], found["expected"], found["recent"]["rate"]["value"]) == (0, None, None)
    assert found["breaker"]["why"] == "labels are not judged yet: 0 days of history of 21"


def test_a_version_that_cannot_be_read_stops_no_label() -> None:
    """Lost, or with an objective that this release lacks: its predictions are joined to the definition's label."""
    registry, lake = registry_of(late_parcel, serving=first_champion(1, 0)), FakeLake()
    document = {**freeze(late_parcel), "objective": {"kind": "survival"}}
    registry.freeze(MODEL, frozen_digest(document), document)
    registry.add(version_for(late_parcel, signature=frozen_digest(document), status="retired"))
    lake.append(predictions_table(MODEL), log_of([Asked("a", 26, 26, version=number) for number in (1, 2, 7)]))
    lake.append(records_table(deliveries), records_of([("a", 31, True)]))
    JoinTask(PROJECT, lake, registry, FakeDocuments()).run({"model": MODEL, "as_of": format_moment(3 * DAY)}, 9 * DAY)
    assert joined(lake) == dict.fromkeys("012", (LABELLED, True))
