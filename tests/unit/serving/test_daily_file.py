"""Proves which records the nightly file of a model holds, and that it is scored like any other file, once."""

import io
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, Literal

import pyarrow.parquet as pq
import pytest

from smallbox.define.project import project_of
from smallbox.errors import DefinitionError, InvalidInput
from smallbox.lake.names import records_table
from smallbox.lake.predictions import PredictionLog
from smallbox.lake.schemas import records_to_table
from smallbox.ports import Between
from smallbox.records import Record
from smallbox.serving.score import ScoreTask
from smallbox.times import DAY, HOUR, Micros, format_moment
from tests.fakes.edges import FakeBlobs, FakeWorkflow
from tests.fakes.serving import Serving
from tests.fakes.small import late_parcel, parcels

MIDNIGHT: Final = 100 * DAY
NOW: Final = MIDNIGHT + HOUR
YESTERDAY: Final = "score/late_parcel/in/daily/1970-04-10.parquet"
TODAY: Final = "score/late_parcel/in/daily/1970-04-11.parquet"


def _parcel(key: str, at: Micros, known_at: Micros, weight: float = 1.0) -> Record:
    values: dict[str, Any] = {"parcel_id": key, "sent_at": at, "depot": "a", "weight": weight}
    return Record("parcels", key, at, known_at, known_at, values)


class Nightly:
    """A model with a champion, and the records of its requests."""

    def __init__(self, score_daily: Literal["yesterday", "today"] | None, records: Sequence[Record]) -> None:
        model = replace(late_parcel, score_daily=score_daily)
        self.serving = Serving(model)
        self.serving.route(self.serving.register(model))
        self.inbox, lake = FakeBlobs(NOW), self.serving.lake
        lake.append(records_table(parcels), records_to_table(parcels, records))
        self.task = ScoreTask(project_of([model]), lake, self.serving.loader, self.inbox, FakeWorkflow())

    def run(self, **document: Any) -> Any:
        """What the schedule does."""
        return self.task.run("days", document, NOW)["days"]

    def file(self, key: str) -> list[dict[str, Any]]:
        """The rows of a daily file."""
        return list(pq.read_table(io.BytesIO(self.inbox.get(key))).to_pylist())


RECORDS: Final = [
    _parcel("before", MIDNIGHT - DAY - 1, MIDNIGHT - DAY - 1),
    _parcel("b", MIDNIGHT - DAY, MIDNIGHT - DAY),
    _parcel("a", MIDNIGHT - 1, MIDNIGHT - 1),
    _parcel("today", MIDNIGHT, MIDNIGHT - DAY),
    _parcel("tonight", MIDNIGHT + DAY - 1, MIDNIGHT - DAY),
    _parcel("unknown", MIDNIGHT + 2 * HOUR, NOW + 1),
    _parcel("tomorrow", MIDNIGHT + DAY, MIDNIGHT - DAY),
]


@pytest.mark.parametrize(
    ("score_daily", "key", "expected"),
    [("yesterday", YESTERDAY, ["a", "b"]), ("today", TODAY, ["today", "tonight"])],
)
def test_the_file_holds_the_known_records_of_a_day(
    score_daily: Literal["yesterday", "today"], key: str, expected: list[str]
) -> None:
    """Yesterday's, or of a source that knows ahead today's; days are UTC, and what is not known yet is left out."""
    nightly = Nightly(score_daily, RECORDS)
    (answer,) = nightly.run()
    assert (answer["key"], answer["records"]) == (key, 2)
    assert [row["parcel_id"] for row in nightly.file(key)] == expected


def test_a_corrected_record_is_scored_as_it_is_known() -> None:
    """Its latest version counts: with the day that it was moved to, and out of the day that it was moved from."""
    moved = [_parcel("b", MIDNIGHT - 3 * DAY, NOW - 1), _parcel("a", MIDNIGHT - 1, NOW - 1, weight=7.0)]
    later = [_parcel("a", MIDNIGHT - 1, NOW + 1, weight=9.0)]
    nightly = Nightly("yesterday", [*RECORDS, *moved, *later])
    nightly.run()
    assert [(row["parcel_id"], row["weight"]) for row in nightly.file(YESTERDAY)] == [("a", 7.0)]


def test_it_is_scored_like_any_other_file_and_once() -> None:
    """The contract takes its rows, each at its event time; another run of the schedule writes the same bytes."""
    nightly = Nightly("yesterday", RECORDS)
    for _ in range(2):
        nightly.run()
        nightly.task.take(YESTERDAY)
    log = nightly.serving.lake.read("predictions/late_parcel")
    assert log is not None
    assert log.select(["key", "time"]).to_pylist() == [
        {"key": "a", "time": MIDNIGHT - 1},
        {"key": "b", "time": MIDNIGHT - DAY},
    ]
    read = PredictionLog(nightly.serving.lake).read("late_parcel", Between("time", 0, 2 * MIDNIGHT))
    assert read["channel"].to_pylist() == ["batch", "batch"]


def test_a_day_of_the_past_can_be_asked_for() -> None:
    """By its moment, and of one model; what became known later is left out."""
    nightly = Nightly("yesterday", RECORDS)
    (answer,) = nightly.run(models=["late_parcel"], as_of=format_moment(MIDNIGHT - DAY + HOUR))
    assert (answer["day"], answer["records"]) == ("1970-04-09", 1)


def test_a_day_without_records_has_no_file() -> None:
    """The answer says so, and nothing is scored."""
    nightly = Nightly("yesterday", RECORDS[:1])
    (answer,) = nightly.run()
    assert (answer["records"], answer["key"]) == (0, None)
    assert nightly.inbox.objects == {}


def test_a_model_that_declares_none_has_none() -> None:
    """The schedule leaves it out, and whoever asks for it by name is told what to do."""
    nightly = Nightly(None, RECORDS)
    assert nightly.run() == []
    with pytest.raises(InvalidInput, match="declare it"):
        nightly.run(models=["late_parcel"])


def test_another_day_is_refused_when_it_is_declared() -> None:
    """The error names the two words."""
    wrong: Any = "tomorrow"
    with pytest.raises(DefinitionError, match="must be 'yesterday' or 'today'"):
        replace(late_parcel, score_daily=wrong)
