"""Proves that a day is diagnosed from the log and its labels: a fault of the data by its cost, and a quiet day by none.

The model is a fixed function of the weight, so what a wrong weight costs is known.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from smallbox.arrays import Floats, Floats32, Objects
from smallbox.define import number
from smallbox.define.log_columns import logged_types
from smallbox.define.model import Model
from smallbox.define.project import project_of
from smallbox.lake.names import labelled_table, predictions_table
from smallbox.lake.schemas import labelled_schema, prediction_schema
from smallbox.monitoring import answered_rows, diagnosis, estimated_loss
from smallbox.monitoring.density_ratio import DensityRatio
from smallbox.monitoring.diagnosis import Diagnosed, Diagnosis, inputs_moved
from smallbox.monitoring.estimates import Estimates, believed
from smallbox.monitoring.findings import Finding
from smallbox.registry.signatures import Signatures
from smallbox.registry.store import Registry
from smallbox.statistics.change_detector import DayVerdict
from smallbox.statistics.change_evidence import MovedStream
from smallbox.times import DAY
from tests.fakes.documents import FakeDocuments
from tests.fakes.edges import FakeBlobs
from tests.fakes.lake import FakeLake
from tests.fakes.small import late_parcel, parcels
from tests.fakes.versions import VERSION, add_version

DAYS = 60
NOW = DAYS * DAY
ROWS = 150
BLIP = MovedStream("weight:location", 3.0, 9.0, DAYS - 1, 1.0)


class WeightScorer:
    """Stands in for the ONNX model: the chance is a logistic function of the weight, one half without it."""

    def __init__(self, *_: object) -> None:
        """Any content."""

    def score(self, numeric: Floats32, _categorical: Objects) -> Floats:
        """``(n, 1)``."""
        weight = np.clip(numeric[:, :1].astype(float), -3, 3)
        chance: Floats = np.nan_to_num(1 / (1 + np.exp(-2 * weight)), nan=0.5)
        return chance


def _table(schema: pa.Schema, columns: Mapping[str, Any]) -> pa.Table:
    """The columns of a schema, null where they are not there."""
    size = len(columns["id"])
    arrays = [pa.array(columns[f.name], f.type) if f.name in columns else pa.nulls(size, f.type) for f in schema]
    return pa.table(arrays, schema=schema)


def _diagnosis(scale: float = 1.0, missing: float = 0.0, model: Model = late_parcel) -> Diagnosis:
    """A log whose weights are another unit, or missing, on the last day alone; all but that day are labelled."""
    random, lake = np.random.default_rng(0), FakeLake()
    size = DAYS * ROWS
    days = np.repeat(np.arange(DAYS), ROWS)
    level = random.normal(0, 0.2, DAYS)[days]
    true = random.normal(level, 1.0)
    late = random.random(size) < 1 / (1 + np.exp(-2 * np.clip(true, -3, 3)))
    is_last = days == DAYS - 1
    sent = np.where(is_last, true * scale, true)
    sent[is_last & (random.random(size) < missing)] = np.nan
    times = days * DAY + np.tile(np.arange(ROWS), DAYS) * (DAY // ROWS)
    columns = {
        "id": [f"p{n}" for n in range(size)],
        "key": [f"p{n}" for n in range(size)],
        "time": times,
        "event_time": times,
        "version": np.ones(size, np.int64),
        "arm": ["champion"] * size,
        "channel": ["online"] * size,
        "weight": pa.array(sent, from_pandas=True),
        "depot": ["d"] * size,
        "score": WeightScorer().score(sent[:, None].astype(np.float32), np.empty((size, 0), object))[:, 0],
    }
    logged = {**columns, "degraded": [[]] * size}
    lake.append(predictions_table(late_parcel.name), _table(prediction_schema(logged_types(late_parcel)), logged))
    joined = {**columns, "status": ["labelled"] * size, "label": late, "settles_from": times}
    known = _table(labelled_schema(late_parcel.objective), joined)
    lake.append(labelled_table(late_parcel.name), known.filter(pa.array(~is_last)))
    registry, blobs = Registry(FakeDocuments()), FakeBlobs()
    add_version(registry, model)
    blobs.put(VERSION.onnx_key, b"")
    return Diagnosis(lake, Signatures(project_of([model]), registry, blobs), blobs)


@pytest.fixture(autouse=True)
def _known_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnosis, "Scorer", WeightScorer)
    # what PAPE is worth is proven with the estimates; its trees would take seconds here
    monkeypatch.setattr(estimated_loss, "density_ratio", lambda old, _: DensityRatio(np.ones(len(old)), len(old), 1.0))


def _diagnosed(found: Diagnosis, verdict: DayVerdict) -> Diagnosed:
    return found.of(late_parcel, replace(VERSION, number=1), late_parcel.label, NOW, verdict)


def test_another_unit_is_found_on_its_first_day_and_costs() -> None:
    """Weights in grams instead of kilograms: a fault that is expected to hurt, to be mended at its source."""
    found = _diagnosed(_diagnosis(scale=1000.0), DayVerdict(DAYS - 1, False, 1.0, blips=(BLIP,))).findings
    assert [(one.kind, one.subject, one.severity, one.remedy) for one in found] == [
        ("data_fault", "weight", "incident", "mend the source")
    ]
    assert (found[0].effect or 0) > 0.1


def test_no_finding_quotes_a_personal_value() -> None:
    """The weight is personal: the same fault is found in no sentence, and the day is estimated all the same."""
    personal = replace(parcels, fields={**parcels.fields, "weight": number(nullable=True, pii=True)})
    model = replace(late_parcel, request=personal)
    found = _diagnosed(_diagnosis(scale=1000.0, model=model), DayVerdict(DAYS - 1, False, 1.0, blips=(BLIP,)))
    assert found.findings == []
    assert found.estimate
    assert model.shown_columns.names == tuple(name for name in model.columns.names if name != "weight")


def test_missing_values_are_found_on_their_first_day() -> None:
    """Half of the weights are missing, and the model relies on them."""
    found = _diagnosed(_diagnosis(missing=0.5), DayVerdict(DAYS - 1, False, 1.0, blips=(BLIP,))).findings
    assert [(one.kind, one.severity) for one in found] == [("missing_values", "incident")]


def test_a_day_that_differs_without_a_fault_finds_nothing() -> None:
    """The detector saw a blip, and nothing is wrong with the data."""
    assert _diagnosed(_diagnosis(), DayVerdict(DAYS - 1, False, 1.0, blips=(BLIP,))).findings == []


def test_a_quiet_day_is_estimated_and_not_searched() -> None:
    """Without an alarm or a blip there is the estimate alone, near the loss that the model has."""
    found = _diagnosed(_diagnosis(scale=1000.0), DayVerdict(DAYS - 1, False, 1.0))
    assert found.findings == ()
    quiet = _diagnosed(_diagnosis(), DayVerdict(DAYS - 1, False, 1.0)).estimate
    assert quiet["refused"] == ""
    assert quiet["low"] < quiet["unchanged"] < quiet["high"]


def test_a_weak_stream_that_drifted_for_weeks_does_not_hide_the_change() -> None:
    """Rows since the surest stream's change are compared with those before it, whatever else the alarm names."""
    weak = replace(BLIP, name="depot:missing", since=2, evidence=0.5)
    verdict = DayVerdict(DAYS - 1, True, 100.0, moved=(BLIP, weak))
    found = _diagnosed(_diagnosis(scale=1000.0), verdict)
    assert "data_fault" in {one.kind for one in found.findings}
    assert found.estimate


def test_much_traffic_is_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of more rows than are compared every n-th is taken, and the fault is found all the same."""
    monkeypatch.setattr(answered_rows, "MOST_ROWS", 3_000)
    found = _diagnosed(_diagnosis(scale=1000.0), DayVerdict(DAYS - 1, False, 1.0, blips=(BLIP,))).findings
    assert [one.kind for one in found] == ["data_fault"]


def test_a_week_is_compared_with_the_six_before_it_when_a_sunday_has_ended() -> None:
    """Rows come from the log; columns that may move are left out, and on other days nothing is read."""
    found, champion = _diagnosis(), replace(VERSION, number=1)
    week = found.joint(late_parcel, champion, late_parcel.label, NOW)
    assert week.document["runs"] == 49
    assert {one["feature"] for one in week.document["carriers"]} == {"weight"}
    assert found.joint(late_parcel, champion, late_parcel.label, NOW - DAY).document == {}
    moving = replace(late_parcel, monitor=replace(late_parcel.monitor, expected_drift=("weight",)))
    assert found.joint(moving, champion, late_parcel.label, NOW).document == {}


def test_estimates_are_reconciled_when_the_labels_come() -> None:
    """A day's estimate waits for its labels, is compared once, and says how often it was right."""
    documents, champion = FakeDocuments(), replace(VERSION, number=1)
    estimates = Estimates(documents)
    one = _estimated(0.5)
    for day in range(12):
        realised = {f"1970-01-{day:02d}": 0.55} if day else {}
        kept = estimates.keep("m", champion, f"1970-01-{day + 1:02d}", Diagnosed((), one, realised))
    assert "right within its interval on 11 of 11 days" in kept["record"]
    assert kept["trusted"]
    assert estimates.keep("m", champion, "1970-01-13", Diagnosed((), {})) == {}


def _estimated(loss: float | None, method: str = "cbpe", refused: str = "") -> dict[str, Any]:
    bounds = {"low": None, "high": None} if loss is None else {"low": loss - 0.1, "high": loss + 0.1}
    return {"method": method, "loss": loss, **bounds, "unchanged": 0.45, "refused": refused}


@pytest.mark.parametrize(
    ("moved", "blips", "relearning", "expected"),
    [
        ((), (), (), False),
        ((BLIP,), (), (), True),
        ((), (BLIP,), (), True),
        ((), (), ("depot:category a",), True),
        ((), (), ("parcels:volume", "score:location", "loss:depot=a"), False),
    ],
)
def test_inputs_have_moved_by_an_alarm_a_blip_or_a_recent_alarm(
    moved: tuple[MovedStream, ...],
    blips: tuple[MovedStream, ...],
    relearning: tuple[str, ...],
    expected: bool,  # noqa: FBT001 - an expected value
) -> None:
    """What moved must be an input: sources, outputs and losses are none."""
    verdict = DayVerdict(1, bool(moved), 1.0, moved, blips=blips, relearning=relearning)
    assert inputs_moved(verdict, ("weight", "depot")) == expected


def test_only_a_day_whose_inputs_moved_is_weighted() -> None:
    """A weight that moved asks PAPE as well; a quiet day does not."""
    found = _diagnosis()
    assert _diagnosed(found, DayVerdict(DAYS - 1, False, 1.0)).weighted == {}
    weighted = _diagnosed(found, DayVerdict(DAYS - 1, False, 1.0, blips=(BLIP,))).weighted
    assert (weighted["method"], weighted["refused"]) == ("pape", "")


def test_the_weighted_estimate_is_shown_until_its_own_record_is_wrong() -> None:
    """It is compared with the labels by itself. What decides is the record of the plain one."""
    estimates, champion = Estimates(FakeDocuments()), replace(VERSION, number=1)
    days = [f"1970-01-{day:02d}" for day in range(1, 14)]
    realised = dict.fromkeys(days, 0.5)
    shown = [
        estimates.keep("m", champion, day, Diagnosed((), _estimated(0.5), realised, _estimated(0.9, "pape")))
        for day in days
    ]
    assert [one["method"] for one in shown] == ["pape"] * 9 + ["cbpe"] * 4
    assert shown[8]["unweighted"]["loss"] == 0.5
    assert "right within its interval on 0 of 13 days" in shown[-1]["why_not_weighted"]
    assert shown[-1]["trusted"]


def test_a_refused_weighting_leaves_the_plain_estimate_and_its_reason() -> None:
    """The day is estimated all the same."""
    refused = _estimated(None, "pape", "too few rows of the reference look like the day")
    shown = Estimates(FakeDocuments()).keep(
        "m", replace(VERSION, number=1), "1970-01-01", Diagnosed((), _estimated(0.5), {}, refused)
    )
    assert (shown["method"], shown["why_not_weighted"]) == ("cbpe", refused["refused"])


def test_an_estimated_effect_rings_only_when_the_record_is_trusted() -> None:
    """A covariate shift has no other evidence; what was seen on labels or in the data rings in any case."""
    shift = Finding("covariate_shift", "weight", "incident", "s", "retrain", 0.1)
    fault = replace(shift, kind="data_fault")
    assert [one.severity for one in believed([shift, fault], is_trusted=False)] == ["notice", "incident"]
    assert [one.severity for one in believed([shift, fault], is_trusted=True)] == ["incident", "incident"]
