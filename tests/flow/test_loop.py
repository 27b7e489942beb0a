"""Proves that the nine stages fit together: history to champion, a live day, labels, checks, a second version."""

import io
import json
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from smallbox.cli.demo.flights import micros
from smallbox.documents.daily_run import DayDocument
from smallbox.documents.gate_verdict import GateCheckReport, VerdictReport
from smallbox.documents.metrics import BaselineComparison, Metric, Metrics, ParityReport
from smallbox.documents.training_run import (
    Artifacts,
    DelayCurve,
    FitCounts,
    LabelReport,
    ReleasedRun,
    ReleaseStep,
    RoutingReport,
)
from smallbox.monitoring.skew import skew_of
from smallbox.ports import Between
from smallbox.times import DAY, HOUR, Micros, format_moment
from tests.flow.conftest import MODEL, START, Lived

STEP: Micros = 3 * HOUR


@pytest.fixture(scope="module")
def days(lived: Lived) -> list[DayDocument]:
    """Two live days: every three hours what became known is sent and drained, and the next flights are predicted."""
    documents = []
    for now in range(START, START + 2 * DAY, STEP):
        instances = lived.instances(now, now + STEP)
        for first in range(0, len(instances), 500):
            lived.world.predict(MODEL, instances[first : first + 500], now, f"{now}-{first}")
        lived.send(now, now + STEP)
        if (now + STEP) % DAY == 0:
            documents.append(lived.world.close_day(MODEL, now + STEP))
    return documents


def test_history_becomes_a_champion(lived: Lived) -> None:
    """Dropped history trains a first version that passes the gate and serves."""
    assert [report.rejected for report in lived.reports] == [0, 0, 0, 0]
    assert lived.training["accepted"], lived.training["verdict"]["why"]
    metrics, baseline = lived.training["metrics"], lived.training["baseline"]
    assert metrics["figures"]["auc"]["value"] > 0.62
    assert metrics["loss"]["value"] == pytest.approx(baseline["loss"] + baseline["difference"]["value"])
    assert baseline["difference"]["high"] < 0, "better than the best constant"
    assert 0.1 < baseline["outputs"][0] < 0.4
    assert lived.training["parity"]["largest"] < 1e-5
    assert lived.training["routing"]["champion"] == 1


def test_the_document_of_a_training_run_has_the_keys_of_its_types(lived: Lived) -> None:
    """Every key that a type names is there, and no other, in the document and in each document inside it."""
    run = lived.training
    parts: list[tuple[Any, Any]] = [
        (run, ReleasedRun),
        (run["counts"], FitCounts),
        (run["metrics"], Metrics),
        *((one, Metric) for one in (run["metrics"]["loss"], *run["metrics"]["figures"].values())),
        (run["baseline"], BaselineComparison),
        (run["labels"], LabelReport),
        (run["labels"]["selection_auc"], Metric),
        (run["labels"]["delays"], DelayCurve),
        (run["parity"], ParityReport),
        (run["artifacts"], Artifacts),
        (run["verdict"], VerdictReport),
        *((check, GateCheckReport) for check in run["verdict"]["checks"]),
        (run["routing"], RoutingReport),
        (run["release"], ReleaseStep),
    ]
    differing = {kind.__name__: part.keys() ^ kind.__required_keys__ for part, kind in parts}
    assert {name: keys for name, keys in differing.items() if keys} == {}


def test_cancelled_flights_are_unlabelled_and_never_negative(lived: Lived) -> None:
    """The dataset holds exactly the flights that arrived; the others are counted, not made negative."""
    dataset = pq.read_table(io.BytesIO(lived.world.blobs.get(lived.training["dataset"])))
    arrivals = lived.records.arrivals
    landed = set(arrivals["flight_id"][micros(arrivals["arrived_at"]) <= START])
    assert set(dataset["key"].to_pylist()) <= landed
    counts = lived.training["counts"]
    assert counts["unlabelled"] > 0
    assert counts["rows"] + counts["unlabelled"] == counts["requests"]


def test_every_served_feature_is_its_batch_recomputation(lived: Lived, days: list[dict[str, Any]]) -> None:
    """The skew audit of each day compared every served value, and found none unlike the batch engine's."""
    assert len(days) == 2
    for day in days:
        report = lived.world.metrics.get(f"model#{MODEL}", f"day#{day['day']}")
        assert report is not None
        model = lived.world.project.model(MODEL)
        skew = {check["name"]: check for check in report["checks"] if check["name"].startswith("skew:")}
        assert set(skew) == {f"skew:{name}" for name in (*model.feature_names, *model.stored_texts)}
        assert min(check["rows"] for check in skew.values()) > 500
        assert {check["value"] for check in skew.values()} == {0}
        sent = [check for check in report["checks"] if check["name"].startswith("sent:")]
        assert {check["value"] for check in sent} == {0}, "callers send what is in the records"


def test_the_audit_sees_a_value_that_was_served_wrong(lived: Lived, days: list[dict[str, Any]]) -> None:
    """The audit can fail: had one served value been off by the last bit, it would have counted it."""
    model = lived.world.project.model(MODEL)
    log = lived.world.log.read(MODEL, Between("time", START, START + DAY))
    at = log.column_names.index("origin_flights_1h")
    wrong = log["origin_flights_1h"].to_numpy().copy()
    wrong[7] = np.nextafter(wrong[7], np.inf)
    assert skew_of(model, lived.world.lake, log).unequal == 0
    assert skew_of(model, lived.world.lake, log.set_column(at, "origin_flights_1h", pa.array(wrong))).unequal == 1


def test_labels_meet_their_predictions(lived: Lived, days: list[dict[str, Any]]) -> None:
    """After two days the first day's predictions have their labels, and their loss and AUC were measured on them."""
    feedback = days[-1]["feedback"]
    assert feedback["labelled"] > 700
    assert feedback["coverage"] > 0.8
    report = lived.world.metrics.get(f"model#{MODEL}", f"day#{days[-1]['day']}")
    assert report is not None
    checks = {check["name"]: check for check in report["checks"] if check["kind"] == "accuracy"}
    assert checks.keys() == {"loss", "auc", "calibration_error", "coverage"}
    assert checks["auc"]["rows"] == checks["loss"]["rows"] > 500
    assert 0.5 < checks["auc"]["value"] < 0.9
    assert 0.2 < checks["loss"]["value"] < 0.7
    assert "the constant baseline has" in checks["loss"]["note"]
    sliced = {one["slice"]: one for one in report["accuracy"]["online"]["slices"]}
    assert {"version", "arm", "carrier", "origin"} <= {name.partition("=")[0] for name in sliced}
    assert sliced["arm=champion"]["bias"]["low"] < sliced["arm=champion"]["bias"]["high"]
    assert "loss:origin=JFK" in report["changes"]["online"]["learning"]


def test_new_incidents_are_published_every_day(lived: Lived, days: list[dict[str, Any]]) -> None:
    """Each day publishes how many it opened, none too, so an alarm can calm down."""
    opened = [sum(one["opened"] == day["day"] for one in day["incidents"]) for day in days]
    figures = [figures for figures, _ in lived.world.meter.published]
    assert figures == [{"OpenIncidents": float(count)} for count in opened]
    assert {dimensions["model"] for _, dimensions in lived.world.meter.published} == {MODEL}


def test_a_retried_message_changes_nothing(lived: Lived, days: list[dict[str, Any]]) -> None:
    """Sending a day's arrivals again leaves every online state as it was."""
    before = {key: state.packed for key, state in lived.world.online.states.items()}
    lived.send(START + DAY, START + 2 * DAY, sources=("arrivals",))
    assert {key: state.packed for key, state in lived.world.online.states.items()} == before


def test_a_dropped_file_is_scored_like_the_requests(lived: Lived, days: list[dict[str, Any]]) -> None:
    """A file of requests is scored from the lake, as of each row's own moment, and says so with a marker."""
    instances = lived.instances(START + DAY, START + DAY + HOUR * 15)
    rows = pd.DataFrame(instances).assign(scheduled_at=lambda f: pd.to_datetime(f["scheduled_at"], utc=True))
    written = lived.world.score(MODEL, rows)
    assert set(written) == {"predictions.parquet", "report.json", "_SUCCESS"}
    assert json.loads(written["report.json"])["scored"] == len(rows)
    scores = pq.read_table(io.BytesIO(written["predictions.parquet"]))["score"].to_numpy()
    assert ((scores > 0) & (scores < 1)).all()


def test_a_second_version_goes_into_a_shadow(lived: Lived, days: list[dict[str, Any]]) -> None:
    """A retrained version is judged on logged requests; nobody is answered by it, and the day tells what it saw."""
    now = START + 2 * DAY
    run = lived.world.train(MODEL, now)
    assert run["accepted"], run["verdict"]["why"]
    assert run["champion"]["version"] == 1
    assert run["routing"]["challenger"] is None
    assert run["release"]["action"] == "shadow"
    day = lived.world.close_day(MODEL, now)
    assert (day["release"]["action"], day["release"]["version"]) == ("wait", 2), day["release"]["why"]
    assert day["shadow"] == {"version": 2, "scored": 0, "settled": 0, "why": ""}, "no day since its training has ended"
    instances = lived.instances(now, now + DAY)[:400]
    answers = lived.world.predict(MODEL, instances, now, "a")
    assert {answer["version"] for answer in answers} == {1}
    routing = lived.world.registry.routing(MODEL)
    assert routing is not None
    assert (routing.shadow, routing.challenger) == (2, None)


def test_a_day_under_a_shadow_waits_and_does_not_retrain(lived: Lived, days: list[dict[str, Any]]) -> None:
    """With a shadow running and no labels yet, the review waits and retraining stands back, both with reasons."""
    day = lived.world.close_day(MODEL, START + 3 * DAY)
    assert day["shadow"]["scored"] == 1
    assert day["release"]["action"] == "wait"
    assert "labelled" in day["release"]["why"]
    assert not day["retraining"]["train"]
    assert "release" in day["retraining"]["why"]
    assert day["as_of"] == format_moment(START + 3 * DAY)
