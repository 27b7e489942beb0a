"""Proves that accepted records, sent or dropped, are profiled by event hour, and no personal text with them."""

import json
from typing import Any

import numpy as np

from smallbox.define import FeatureView, Source, count, integer, number, text, timestamp
from smallbox.define.project import Project
from smallbox.ingestion.append import AppendTask
from smallbox.ingestion.contract import check_all
from smallbox.ingestion.load import LoadTask
from smallbox.ingestion.profiled_records import RecordProfiles
from smallbox.ingestion.quarantine import Quarantine
from smallbox.messages.records import pack_records
from smallbox.monitoring.stored_days import source_day_profiles
from smallbox.profiles.store import ProfileStore, source_subject
from smallbox.times import DAY, HOUR
from tests.fakes.edges import FakeBlobs, FakeQueue
from tests.fakes.lake import FakeLake
from tests.fakes.live import live_sources

ovens = Source(
    "ovens",
    key="id",
    time="at",
    fields={
        "id": text(),
        "at": timestamp(),
        "ends": timestamp(nullable=True),
        "heat": number(minimum=0, maximum=128, nullable=True),
        "kind": text(choices=("gas", "wood")),
        "size": integer(),
        "owner": text(pii=True, nullable=True),
    },
)


def _append(blobs: FakeBlobs, *sent: dict[str, Any]) -> None:
    project = Project({"ovens": ovens}, {"view": FeatureView("view", "id", ovens, {"n": count("1h")})}, {})
    records, rejected = check_all(ovens, list(sent), DAY + 2 * HOUR)
    assert not rejected
    task = AppendTask(project, live_sources(project), FakeLake(), Quarantine(blobs), FakeQueue(), RecordProfiles(blobs))
    task.append(pack_records(records))


def _oven(key: str, at: str, **more: Any) -> dict[str, Any]:
    return {"id": key, "at": f"1970-01-02T{at}:00Z", "heat": 20.0, "kind": "gas", "size": 3, **more}


def test_records_are_profiled_by_event_hour_and_a_redelivery_counts_once() -> None:
    """Counts, nulls, means and lateness by hour; the same batch again changes nothing."""
    blobs = FakeBlobs()
    sent = [
        _oven("a", "00:10", ends="1970-01-02T00:11:00Z"), _oven("b", "00:50", heat=None), _oven("c", "01:00", heat=5.0)
    ]  # fmt: skip
    for _ in range(2):
        _append(blobs, *sent)
    hours = ProfileStore(blobs).between(source_subject("ovens"), DAY, 2 * DAY)
    assert {hour: one.rows for hour, one in hours.items()} == {DAY: 2, DAY + HOUR: 1}
    first = hours[DAY]
    assert (first.column("heat").missing, first.column("heat").mean) == (1, 20.0)
    assert first.column("ends").mean == 60.0
    assert first.column("at").mean == np.mean([110 * 60, 70 * 60])
    assert first.column("kind").counts.tolist() == [2, 0]
    assert round(first.column("id").distinct) == 2
    days = source_day_profiles(ProfileStore(blobs), "ovens", [DAY, 5 * DAY])
    assert {day: one.rows for day, one in days.items()} == {DAY: 3}


def test_a_dropped_file_is_profiled_once_however_often_it_is_loaded() -> None:
    """Its old rows by day, those of the last week by hour; dropped again under another name it counts once as well."""
    project, blobs = Project({"ovens": ovens}, {}, {}), FakeBlobs()
    inbox, live = FakeBlobs(10 * DAY), live_sources(project)
    sent = [_oven("a", "00:10"), _oven("b", "07:10"), {**_oven("c", ""), "at": "1970-01-10T03:30:00Z"}]
    for name in ("one", "two"):
        stores = FakeLake(), blobs, inbox, FakeQueue(), FakeQueue()
        inbox.put(f"drop/ovens/{name}.jsonl", "\n".join(map(json.dumps, sent)).encode())
        LoadTask(project, live, *stores, profiles=RecordProfiles(blobs)).take(f"drop/ovens/{name}.jsonl")
    hours = ProfileStore(blobs).between(source_subject("ovens"), 0, 20 * DAY)
    assert {hour: one.rows for hour, one in hours.items()} == {DAY: 2, 9 * DAY + 3 * HOUR: 1}


def test_no_profile_has_a_personal_value_or_a_key() -> None:
    """Of a personal field only the nulls are counted; a key is a hash beside an extreme row."""
    blobs = FakeBlobs()
    _append(blobs, _oven("key-of-a", "00:10", owner="Ada Secret"), _oven("key-of-b", "00:20"))
    hours = ProfileStore(blobs).between(source_subject("ovens"), DAY, 2 * DAY)
    assert hours[DAY].column("owner").missing == 1
    stored = b"".join(content for key, content in blobs.objects.items() if key.startswith("profiles/"))
    assert b"Secret" not in stored
    assert b"key-of" not in stored
