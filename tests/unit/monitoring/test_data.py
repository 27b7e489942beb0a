"""Proves that the data checks of a day are those of its moment, whenever they are asked for."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from smallbox.define import FeatureView, Monitor, count, label
from smallbox.define.model import Model
from smallbox.define.project import project_of
from smallbox.ingestion.contract import check_all
from smallbox.ingestion.quarantine import Quarantine
from smallbox.lake.names import records_table
from smallbox.lake.schemas import records_to_table
from smallbox.monitoring.arrivals import arrivals_of
from smallbox.monitoring.check import CheckTask
from smallbox.monitoring.check_rules import SourceDayStats, data_checks
from smallbox.records import Rejection
from smallbox.registry.routing import Routing, first_champion
from smallbox.registry.signatures import Signatures
from smallbox.registry.store import Registry
from smallbox.times import DAY, HOUR, Micros, format_moment, parse_day
from tests.fakes.documents import FakeDocuments
from tests.fakes.edges import FakeBlobs, FakeMeter, FakeNotices
from tests.fakes.lake import FakeLake
from tests.fakes.online import AppliedRecords
from tests.fakes.small import deliveries, depot, late_parcel, parcels
from tests.fakes.versions import add_version

START = parse_day("2026-03-01")
LATER = START + 100 * DAY
watched = replace(parcels, volume=(20, 30), freshness="2h")
model = replace(late_parcel, request=watched)
scans = replace(deliveries, name="scans")


def _lake(times: list[Micros]) -> FakeLake:
    lake = FakeLake()
    rows = [{"parcel_id": f"p{n}", "sent_at": format_moment(time)} for n, time in enumerate(times)]
    records, rejections = check_all(watched, rows, LATER)
    assert rejections == list[Rejection]()
    lake.append(records_table(watched), records_to_table(watched, records))
    return lake


def _checks(lake: FakeLake, as_of: Micros) -> dict[str, tuple[float | None, float, bool]]:
    """Value, limit and breach of the checks of the parcels."""
    return {
        check["name"].removesuffix(":parcels"): (check["value"], check["limit"], check["breached"])
        for check in _report(model, lake, Registry(FakeDocuments()), as_of)["checks"]
        if check["name"].endswith(":parcels")
    }


def _report(checked: Model, lake: FakeLake, registry: Registry, as_of: Micros) -> Mapping[str, Any]:
    """The report of a day."""
    project, blobs, metrics = project_of([checked], [watched, deliveries, scans]), FakeBlobs(), FakeDocuments()
    signatures = Signatures(project, registry, blobs)
    CheckTask(
        project, lake, blobs, registry, signatures, metrics, FakeMeter(), FakeNotices(), online=AppliedRecords()
    ).run({"model": checked.name, "as_of": format_moment(as_of)})
    report = metrics.get(f"model#{checked.name}", "latest")
    assert report is not None
    json.dumps(report, allow_nan=False)
    return report


def _watched(report: Mapping[str, Any]) -> list[str]:
    """The sources whose volume is checked."""
    names = [check["name"] for check in report["checks"]]
    return [name.removeprefix("volume:") for name in names if name.startswith("volume:")]


def test_a_day_is_judged_as_of_its_end() -> None:
    """Of history loaded at once: a day as declared, one too full, and one too poor whose records stopped at six."""
    good = [START + n * HOUR for n in range(24)]
    full = [START + DAY + n * HOUR // 2 for n in range(48)]
    poor = [START + 2 * DAY + n * HOUR for n in range(7)]
    lake = _lake(good + full + poor)
    checks = _checks(lake, START + DAY)
    assert (checks["volume"], checks["freshness_hours"]) == ((24.0, 20, False), (1.0, 2.0, False))
    assert _checks(lake, START + 2 * DAY)["volume"] == (48.0, 30, True)
    assert _checks(lake, START + 2 * DAY)["freshness_hours"] == (0.5, 2.0, False)
    assert _checks(lake, START + 3 * DAY)["volume"] == (7.0, 20, True)
    assert _checks(lake, START + 3 * DAY)["freshness_hours"] == (18.0, 2.0, True)


def test_repeated_and_late_records_are_told_apart_from_new_ones() -> None:
    """A file sent twice counts once, its repetitions are a share of the day's rows, and so are records beyond lateness.

    The lake's records were all received 100 days after the first one, so every one of them is late.
    """
    times = [START + n * HOUR for n in range(24)]
    lake = _lake(times)
    again = _lake(times[:8]).read(records_table(watched))
    assert again is not None
    lake.append(records_table(watched), again)
    checks = _checks(lake, START + DAY)
    seen = {name: checks[name][0] for name in ("volume", "repeated", "late")}
    assert seen == {"volume": 24.0, "repeated": 0.25, "late": 1.0}


def test_a_holiday_has_no_usual_volume_and_is_no_part_of_it() -> None:
    """On a declared day nothing is expected; the next day is compared with the ordinary days before alone."""
    lake = _lake([START + n * HOUR for n in range(24)] + [START + DAY])
    declared = {START // DAY + 1}
    usual = [arrivals_of(lake, watched, 0, START + n * DAY, left_out=declared).usual for n in (2, 3)]
    assert usual == [0.0, 24.0]
    assert arrivals_of(lake, watched, 0, START + 3 * DAY).usual == 12.5


def test_a_breach_of_the_contract_names_the_rules_that_were_broken() -> None:
    """The three rules that rejected the most records stand beside the share."""
    stats = SourceDayStats(90, 10, 100.0, rules={"weight: maximum": 6, "depot: required": 3, "a: b": 1, "c: d": 1})
    (check,) = [c for c in data_checks(Monitor(), watched, stats) if c.name == "quarantined:parcels"]
    assert check.note == "weight: maximum (6), depot: required (3), a: b (1)"


def test_the_rules_that_were_broken_are_counted_over_the_files_of_a_day() -> None:
    """Two files of one day add up, the most frequent rule first; another day's do not count."""
    quarantine = Quarantine(FakeBlobs())
    weight, depot_missing = (Rejection(0, *why, "", {}) for why in (("weight", "maximum"), ("depot", "required")))
    quarantine.add("parcels", "one", [depot_missing, weight], START)
    quarantine.add("parcels", "two", [weight], START)
    quarantine.add("parcels", "old", [depot_missing] * 5, START - DAY)
    assert quarantine.rules("parcels", "2026-03-01") == {"weight: maximum": 2, "depot: required": 1}


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
    report = _report(model, FakeLake(), Registry(FakeDocuments()), START)
    names = [check["name"] for check in report["checks"] if check["name"].endswith(":deliveries")]
    assert names == ["quarantined:deliveries", "volume:deliveries", "repeated:deliveries", "late:deliveries"]


def test_a_source_that_only_a_live_version_reads_is_watched_too() -> None:
    """A view and a label that the definition has dropped are checked while champion or challenger need their source."""
    registry = Registry(FakeDocuments())
    seen = FeatureView("seen", entity="depot", source=scans, features={"scans_1d": count("1d")})
    add_version(registry, model, status="retired")
    add_version(registry, replace(model, views=(seen,)), status="retired")
    add_version(
        registry, replace(model, label=label(scans, on="parcel_id", value="late", within="24h")), status="retired"
    )
    registry.route(model.name, first_champion(1, 0))
    assert _watched(_report(model, FakeLake(), registry, START)) == ["parcels", "deliveries"]
    for changed in (Routing(1, challenger=2, revision=1), Routing(3, revision=2)):
        registry.route(model.name, changed)
        assert _watched(_report(model, FakeLake(), registry, START)) == ["parcels", "deliveries", "scans"]
