"""Proves that the data checks of a day are those of its moment, whenever they are asked for."""

import json
from dataclasses import replace

import pytest

from smallbox.define.project import project_of
from smallbox.ingestion.contract import check_all
from smallbox.lake.names import records_table
from smallbox.lake.schemas import records_to_table
from smallbox.monitoring.check import CheckTask
from smallbox.records import Rejection
from smallbox.registry.store import Registry
from smallbox.times import DAY, HOUR, Micros, format_moment, parse_day
from tests.fakes.documents import FakeDocuments
from tests.fakes.edges import FakeBlobs, FakeMeter
from tests.fakes.lake import FakeLake
from tests.fakes.small import deliveries, depot, late_parcel, parcels

START = parse_day("2026-03-01")
LATER = START + 100 * DAY
watched = replace(parcels, volume=(20, 30), freshness="2h")
model = replace(late_parcel, request=watched)


def _lake(times: list[Micros]) -> FakeLake:
    lake = FakeLake()
    rows = [{"parcel_id": f"p{n}", "sent_at": format_moment(time)} for n, time in enumerate(times)]
    records, rejections = check_all(watched, rows, LATER)
    assert rejections == list[Rejection]()
    lake.append(records_table(watched), records_to_table(watched, records))
    return lake


def _checks(lake: FakeLake, as_of: Micros) -> dict[str, tuple[float | None, float, bool]]:
    """Value, limit and breach of the checks of the parcels."""
    project, metrics = project_of([model], [watched, deliveries]), FakeDocuments()
    task = CheckTask(project, lake, FakeBlobs(), Registry(FakeDocuments()), metrics, FakeMeter())
    task.run({"model": model.name, "as_of": format_moment(as_of)})
    report = metrics.get(f"model#{model.name}", "latest")
    assert report is not None
    json.dumps(report, allow_nan=False)
    return {
        check["name"].removesuffix(":parcels"): (check["value"], check["limit"], check["breached"])
        for check in report["checks"]
        if check["name"].endswith(":parcels")
    }


def test_a_day_is_judged_as_of_its_end() -> None:
    """Of history loaded at once: a day as declared, one too full, and one too poor whose records stopped at six."""
    good = [START + n * HOUR for n in range(24)]
    full = [START + DAY + n * HOUR // 2 for n in range(48)]
    poor = [START + 2 * DAY + n * HOUR for n in range(7)]
    lake = _lake(good + full + poor)
    assert _checks(lake, START + DAY) | {"quarantined": None} == {
        "quarantined": None, "volume": (24.0, 20, False), "freshness_hours": (1.0, 2.0, False),
    }  # fmt: skip
    assert _checks(lake, START + 2 * DAY)["volume"] == (48.0, 30, True)
    assert _checks(lake, START + 2 * DAY)["freshness_hours"] == (0.5, 2.0, False)
    assert _checks(lake, START + 3 * DAY)["volume"] == (7.0, 20, True)
    assert _checks(lake, START + 3 * DAY)["freshness_hours"] == (18.0, 2.0, True)


@pytest.mark.parametrize(("days", "age"), [(3, 72.0), (9, None)])
def test_silence_is_not_fresh(days: int, age: float | None) -> None:
    """Days after the newest record its age breaches, and so it does when none of the last week is known."""
    checks = _checks(_lake([START]), START + days * DAY)
    assert checks["freshness_hours"] == (age, 2.0, True)
    assert checks["volume"] == (0.0, 20, True)


def test_without_a_table_there_is_neither_volume_nor_freshness() -> None:
    """A declared source that never sent anything breaches both."""
    checks = _checks(FakeLake(), START)
    assert (checks["volume"][2], checks["freshness_hours"]) == (True, (None, 2.0, True))


def test_the_small_models_views_are_watched_as_declared() -> None:
    """A source that declares neither has no freshness check, and its usual volume."""
    assert depot.source is deliveries
    project, metrics = project_of([model], [watched]), FakeDocuments()
    task = CheckTask(project, FakeLake(), FakeBlobs(), Registry(FakeDocuments()), metrics, FakeMeter())
    task.run({"model": model.name, "as_of": format_moment(START)})
    report = metrics.get(f"model#{model.name}", "latest")
    assert report is not None
    names = [check["name"] for check in report["checks"] if check["name"].endswith(":deliveries")]
    assert names == ["quarantined:deliveries", "volume:deliveries"]
