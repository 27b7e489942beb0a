"""Proves the checks of what was served, by channel, and that a person can make the present what they compare with."""

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from smallbox.define.log_columns import logged_types
from smallbox.define.project import project_of
from smallbox.documents.daily_run import DayDocument
from smallbox.feedback.join import JoinTask
from smallbox.lake.names import predictions_table, records_table
from smallbox.lake.schemas import prediction_schema, records_to_table
from smallbox.lake.spans import spans_of
from smallbox.monitoring import arrivals, served_predictions
from smallbox.monitoring.check import CheckTask
from smallbox.monitoring.served_predictions import profile_of
from smallbox.records import Record
from smallbox.registry.routing import first_champion
from smallbox.registry.signatures import Signatures
from smallbox.registry.store import Registry
from smallbox.times import DAY, HOUR, format_moment
from tests.fakes.documents import FakeDocuments
from tests.fakes.edges import FakeBlobs, FakeMeter, FakeNotices
from tests.fakes.lake import FakeLake
from tests.fakes.online import AppliedRecords
from tests.fakes.small import deliveries, late_parcel, parcels
from tests.fakes.versions import VERSION, add_version

MODEL = replace(late_parcel, fallback=0.2)
PROJECT = project_of([MODEL])
NOW = 100 * DAY
PRESENT = 200 * DAY


def log_of(
    days: int, *, weight: float = 0.0, channel: str = "online", arm: str = "champion", version: int = 1
) -> pa.Table:
    """A hundred predictions a day in the days before now, weights around a mean, asked at their event time."""
    random, rows = np.random.default_rng(0), []
    for n in range(days * 100):
        time = NOW - DAY * (1 + n // 100) + (n % 100) * DAY // 100
        rows.append(
            {
                "id": f"{channel}-{arm}-{version}-{n}",
                "key": f"p{n}",
                "time": time,
                "event_time": time,
                "version": 0 if arm == "fallback" else version,
                "arm": arm,
                "channel": channel,
                "score": float(random.random()),
                "weight": float(random.normal(weight)),
                "depot": "d",
                "depot_delay_3h": None,
                "entity_depot": "d",
            }
        )
    return pa.Table.from_pylist(rows, schema=prediction_schema(logged_types(MODEL)))


class World:
    """A champion that was trained on weights around 0, and a log."""

    def __init__(self, *logs: pa.Table) -> None:
        self.lake, self.blobs, self.metrics = FakeLake(), FakeBlobs(), FakeDocuments()
        self.registry = Registry(FakeDocuments())
        for rows in logs:
            self.lake.append(predictions_table(MODEL.name), rows)
        for _ in range(2):
            add_version(self.registry, MODEL)
        self.registry.route(MODEL.name, first_champion(1, 0))
        self.blobs.put(VERSION.profile_key, json.dumps(profile_of(MODEL, log_of(20))).encode())
        self.signatures = Signatures(PROJECT, self.registry, self.blobs)

    def check(self) -> Mapping[str, Any]:
        """The day's report."""
        stores = self.lake, self.blobs, self.registry, self.signatures, self.metrics
        task = CheckTask(PROJECT, *stores, FakeMeter(), FakeNotices(), online=AppliedRecords())
        task.run({"model": MODEL.name, "as_of": format_moment(NOW)})
        report = self.metrics.get(f"model#{MODEL.name}", "latest")
        assert report is not None
        return report


def test_a_check_in_parts_is_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every figure of the report is the same when a few hours are read at a time."""
    logs = [log_of(7, weight=0.3), log_of(2, arm="fallback"), log_of(7, channel="batch"), log_of(3, version=2)]
    logs += [log_of(1, version=9)]
    world = World(*logs)
    for source, values in (
        (parcels, {"sent_at": NOW, "weight": 1.0}),
        (deliveries, {"delivered_at": NOW, "late": True}),
    ):
        records = [
            Record(source.name, f"p{n}", at, at, at, {"parcel_id": f"p{n}", "depot": "d", "delay": 1.0, **values})
            for n in range(300)
            for at in (NOW - n * HOUR - 1, NOW - n * HOUR)
        ]
        fields = [replace(r, values={name: r.values.get(name) for name in source.fields}) for r in records]
        world.lake.append(records_table(source), records_to_table(source, fields))
    JoinTask(PROJECT, world.lake, world.registry, FakeDocuments()).run({"model": MODEL.name}, NOW)
    whole = world.check()
    for module in (arrivals, served_predictions):
        monkeypatch.setattr(module, "spans_of", partial(spans_of, most=7))
    assert world.check() == whole


def test_batch_predictions_have_the_same_checks_under_their_own_names() -> None:
    """A file of heavier parcels is far from training as batch, online ones are not; the fallback is online's own."""
    report = World(log_of(7), log_of(7, weight=2.0, channel="batch")).check()
    far = [c["name"] for c in report["checks"] if "psi:" in c["name"] and c["value"] > 0.5]
    assert far == ["batch:psi:weight"]
    names = {c["name"] for c in report["checks"] if c["kind"] in {"features", "predictions"}}
    online = {name for name in names if not name.startswith("batch:")}
    assert {name.removeprefix("batch:") for name in names - online} == online - {"fallback", "unapplied:deliveries"}
    assert {"skew:depot_delay_3h", "sent:weight", "lead_hours", "psi:weight", "missing:weight"} <= online


def test_fallbacks_are_counted_and_are_in_no_distribution() -> None:
    """As many fallbacks as answers: the share breaches, and the rows of the other checks are the model's own."""
    checks = {c["name"]: c for c in World(log_of(7), log_of(7, arm="fallback", weight=9.0)).check()["checks"]}
    assert (checks["fallback"]["value"], checks["fallback"]["breached"]) == (0.5, True)
    assert checks["psi:weight"]["rows"] == 100
    assert not checks["psi:weight"]["breached"]
    assert checks["skew:depot_delay_3h"]["rows"] == 100


def test_degraded_answers_are_counted_by_cause_and_version() -> None:
    """Answers without states breach with the version that gave them; a few at their limits are shown alone."""
    rows = log_of(1, version=1)
    causes = [["states"] if n < 30 else ["limits"] if n == 40 else [] for n in range(rows.num_rows)]
    at = rows.schema.get_field_index("degraded")
    world = World(rows.set_column(at, rows.schema.field(at), pa.array(causes, rows.schema.field(at).type)))
    checks = {c["name"]: c for c in world.check()["checks"] if c["name"].startswith("degraded")}
    states, limits = checks["degraded:states"], checks["degraded:limits"]
    assert (states["value"], states["breached"], states["note"]) == (0.3, True, "30 by version 1 (champion)")
    assert (limits["value"], limits["breached"]) == (0.01, False)


@pytest.mark.parametrize("within", ["24h", "6h", "7d"])
def test_both_coverages_of_a_day_are_one_figure(within: str) -> None:
    """What the join reports and what the check reports of the same day is the same share, whatever the window."""
    model = replace(MODEL, label=replace(MODEL.label, within=within))
    world, project = World(log_of(10)), project_of([model])
    registry = Registry(FakeDocuments())
    add_version(registry, model)
    registry.route(model.name, first_champion(1, 0))
    times = {n: NOW - DAY * (1 + n // 100) + (n % 100) * DAY // 100 + HOUR for n in range(0, 1000, 3)}
    outcomes = [
        Record(
            "deliveries", f"p{n}", time, time, time,
            {"parcel_id": f"p{n}", "delivered_at": time, "depot": "d", "delay": 0.0, "late": n % 2 == 0},
        )
        for n, time in times.items()
    ]  # fmt: skip
    world.lake.append(records_table(deliveries), records_to_table(deliveries, outcomes))
    for ago in range(9, -1, -1):
        document: DayDocument = {"model": model.name, "as_of": format_moment(NOW - ago * DAY)}
        feedback = JoinTask(project, world.lake, registry, FakeDocuments()).run(document, NOW)["feedback"]
    few = replace(model, monitor=replace(model.monitor, min_rows=50))  # a day has a hundred
    task = CheckTask(
        project_of([few]),
        world.lake,
        world.blobs,
        registry,
        Signatures(project, registry, world.blobs),
        world.metrics,
        FakeMeter(),
        FakeNotices(),
        online=AppliedRecords(),
    )
    task.run(document)
    report = world.metrics.get(f"model#{model.name}", "latest")
    assert report is not None
    coverage = next(check for check in report["checks"] if check["name"] == "coverage")
    assert f"of {feedback['coverage_day']};" in coverage["note"]
    assert coverage["value"] == feedback["coverage"] == pytest.approx(1 / 3, abs=0.01)
