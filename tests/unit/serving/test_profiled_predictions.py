"""Proves that answered and scored predictions are profiled by version, channel, arm and hour."""

import json
from dataclasses import replace
from typing import Any

from smallbox.define.project import project_of
from smallbox.ingestion.file_parts import Sizes
from smallbox.ingestion.readers import Limits
from smallbox.monitoring.stored_days import day_profiles
from smallbox.profiles.store import ProfileStore, prediction_subject
from smallbox.registry.store import Registry
from smallbox.serving.log import LogTask
from smallbox.serving.profiled_predictions import PredictionProfiles
from smallbox.serving.score import ScoreTask
from smallbox.times import DAY, HOUR
from tests.fakes.counters import FakeCanaryCounters
from tests.fakes.documents import FakeDocuments
from tests.fakes.edges import FakeBlobs, FakeMeter, FakeWorkflow
from tests.fakes.lake import FakeLake
from tests.fakes.references import add_version_with_reference, reference_of
from tests.fakes.serving import Serving
from tests.fakes.small import dataset, late_parcel
from tests.fakes.versions import add_version

MODEL = late_parcel.name
HOURS, PAIR = ("11", "12", "13"), Limits(rows=2, bytes=10**6)


class Logged:
    """A log function with two versions, of which only the first has a reference by day."""

    def __init__(self) -> None:
        self.registry, self.blobs = Registry(FakeDocuments()), FakeBlobs()
        self.version = add_version_with_reference(self.registry, self.blobs).number
        self.older = add_version(self.registry, late_parcel).number
        self.store = ProfileStore(self.blobs)

    def log(self, *rows: dict[str, Any]) -> None:
        """Log answers."""
        usual = {"version": self.version, "arm": "champion", "channel": "online", "degraded": [], "missing": []}
        usual |= {"score": 0.5, "weight": 1.0, "depot": "d1", "depot_delay_3h": 0.1, "event_time": 0, "served_at": 0}
        filled = [{**usual, "id": str(n), "key": f"key {n}", **row} for n, row in enumerate(rows)]
        columns = {name: [row[name] for row in filled] for name in filled[0]}
        profiles = PredictionProfiles(self.registry, self.blobs)
        task = LogTask(project_of([late_parcel]), FakeLake(), FakeCanaryCounters(), FakeMeter(), profiles)
        task.append([{"model": MODEL, "types": {"depot": "text"}, "columns": columns}])

    def hours(self, arm: str) -> dict[int, int]:
        """Rows by hour."""
        subject = prediction_subject(MODEL, self.version, "online", arm)
        return {hour: one.rows for hour, one in self.store.between(subject, 0, 2 * DAY).items()}


def test_answers_are_profiled_apart_by_arm_and_hour_and_added_up_by_day() -> None:
    """A redelivered message counts once; a day has all arms of its channel, and no other channel."""
    logged = Logged()
    rows: list[dict[str, Any]] = [
        {"time": 0},
        {"time": HOUR, "weight": None},
        {"time": HOUR, "depot": "never seen"},
        {"time": DAY},
        {"time": 0, "arm": "challenger"},
        {"time": 0, "channel": "batch"},
    ]
    for _ in range(2):
        logged.log(*rows)
    assert logged.hours("champion") == {0: 1, HOUR: 2, DAY: 1}
    assert logged.hours("challenger") == {0: 1}
    days = day_profiles(logged.store, MODEL, logged.version, "online", [0, DAY, 7 * DAY])
    assert {day: one.rows for day, one in days.items()} == {0: 4, DAY: 1}
    first = days[0]
    assert (first.column("weight").missing, first.column("depot").unseen, first.column("score").mean) == (1, 1, 0.5)
    reference = reference_of(dataset(500, 0)).layout
    assert set(reference.columns) - set(first.layout.columns) == {"label", "label.loss"}
    assert first.layout.columns["weight"].slots == reference.columns["weight"].slots


def test_answers_without_stored_features_or_reference_are_left_out() -> None:
    """The fallback's, those whose states were not read, and those of a version that an earlier release trained."""
    logged = Logged()
    logged.log(
        {"time": 0, "version": 0, "arm": "fallback"},
        {"time": 0, "degraded": ["states"]},
        {"time": 0, "version": logged.older},
        {"time": 0, "degraded": ["limits"]},
    )
    assert logged.hours("champion") == {0: 1}
    assert [key for key in logged.blobs.objects if f"/{logged.older}/" in key] == []


def test_a_scored_file_is_profiled_once_however_often_a_part_is_scored() -> None:
    """Its parts add up to its rows in the channel of batches, apart from what is answered online."""
    serving, inbox, machine = Serving(late_parcel), FakeBlobs(2 * DAY), FakeWorkflow()
    plain = serving.registry.get(MODEL, serving.register(late_parcel))
    key = add_version_with_reference(serving.registry, serving.blobs).reference_key
    number = serving.registry.add(replace(plain, number=0, reference_key=key)).number
    serving.route(number)
    profiles, sizes = PredictionProfiles(serving.registry, serving.blobs), Sizes(PAIR, PAIR)
    task = ScoreTask(serving.project, serving.lake, serving.loader, inbox, machine, sizes, profiles=profiles)
    rows = [{"parcel_id": n, "sent_at": f"1970-01-01T{n}:00:00Z", "depot": "d1", "weight": 1} for n in HOURS]
    inbox.put(f"score/{MODEL}/in/f.jsonl", "\n".join(map(json.dumps, rows)).encode())
    task.take(f"score/{MODEL}/in/f.jsonl")
    ((_, started),) = machine.started.items()
    for part in started["parts"] * 2:
        inbox.delete(f"{part['folder']}/{part['number']:05d}.json")
        task.run("part", part, 0)
    assert serving.lake.version(f"predictions/{MODEL}") == 3, "each part was scored and logged twice"
    store, subject = ProfileStore(serving.blobs), prediction_subject(MODEL, number, "batch", "champion")
    found = {hour // HOUR: one.rows for hour, one in store.between(subject, 0, DAY).items()}
    assert (len(started["parts"]), found) == (2, {11: 1, 12: 1, 13: 1})
    assert day_profiles(store, MODEL, number, "online", [0]) == {}
