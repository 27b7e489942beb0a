"""Proves the loss estimated before labels: when it is right, when it refuses, and that its record shows errors."""

import json
from dataclasses import replace

import numpy as np
import pytest

from smallbox.arrays import Floats
from smallbox.monitoring.estimated_loss import (
    EstimateMethod,
    LossReference,
    estimated_loss,
    loss_reference,
    losses_by_class,
)
from smallbox.monitoring.observed_rows import ObservedRows
from smallbox.monitoring.track_record import TrackRecord, estimate_record, reconciled, track_record
from smallbox.objectives.binary import Binary
from smallbox.objectives.multiclass import Multiclass
from smallbox.objectives.regression import Regression
from tests.unit.monitoring.shifted_rows import shifted_rows


def realised(rows: ObservedRows) -> float:
    """The mean loss by the labels."""
    return float(losses_by_class(Binary(), rows.outputs)[np.arange(len(rows)), rows.labels.astype(int)].mean())


def followed(
    reference: LossReference, method: EstimateMethod, days: int, shift: float = 0.0, concept: float = 0.0
) -> TrackRecord:
    """The track record of an estimate on simulated days."""
    records = []
    for day in range(days):
        rows = shifted_rows(np.random.default_rng(day + 1), 100 + day, 1, 400, shift, concept, bend=1.2)
        record = estimate_record(str(day), 1, estimated_loss(reference, rows, method))
        records.append(reconciled(record, realised(rows)))
    return track_record(records)


@pytest.fixture(scope="module")
def reference() -> LossReference:
    """Thirty days without a shift."""
    return loss_reference(Binary(), shifted_rows(np.random.default_rng(0), 0, 30, 300, bend=1.2))


def test_without_a_shift_nearly_all_days_lie_within_the_interval(reference: LossReference) -> None:
    """Of 60 days at least 80 % are within an interval that states 90 %, although days differ beyond chance."""
    record = followed(reference, "cbpe", 60)
    assert record.right >= 48
    assert record.is_trusted
    assert "within its interval" in record.sentence


def test_pape_follows_inputs_that_move_and_cbpe_is_off(reference: LossReference) -> None:
    """Where the score knows least, a moved input makes CBPE's calibration wrong; weights mend most of it."""
    plain, weighted = (followed(reference, method, 12, shift=0.8) for method in ("cbpe", "pape"))
    assert plain.error is not None
    assert weighted.error is not None
    assert weighted.error < plain.error
    assert weighted.is_trusted


@pytest.mark.parametrize("method", ["cbpe", "pape"])
def test_concept_drift_is_invisible_and_the_record_shows_it(reference: LossReference, method: EstimateMethod) -> None:
    """Both stay wrong when labels given inputs change; after the labels the record is below what decides."""
    record = followed(reference, method, 12, concept=2.0)
    assert not record.is_trusted
    assert "decides nothing" in record.sentence


def test_the_estimate_is_ready_for_json_and_names_what_it_cannot_see(reference: LossReference) -> None:
    """A record survives JSON, and says that concept drift is invisible."""
    rows = shifted_rows(np.random.default_rng(1), 100, 1, 400)
    record = estimate_record("2013-03-01", 3, estimated_loss(reference, rows, "cbpe"))
    assert json.loads(json.dumps(record)) == record
    assert "concept drift is invisible" in record["assumption"]


def test_nothing_decides_before_ten_reconciled_days(reference: LossReference) -> None:
    """Nine right days are no record, and a day whose labels are missing does not count."""
    rows = shifted_rows(np.random.default_rng(1), 100, 1, 400, bend=1.2)
    record = estimate_record("day", 1, estimated_loss(reference, rows, "cbpe"))
    right = reconciled(record, record["loss"])
    assert not track_record([right] * 9 + [record]).is_trusted
    assert track_record([right] * 10).is_trusted
    assert not track_record([record]).is_trusted


def outputs_of(rows: ObservedRows, outputs: Floats) -> ObservedRows:
    """The rows with other outputs."""
    return replace(rows, outputs=outputs)


def test_it_refuses_where_its_assumptions_fail(reference: LossReference) -> None:
    """Few days, few rows, scores never seen, a day unlike the reference, numbers as labels: each with its reason."""
    few = shifted_rows(np.random.default_rng(2), 0, 10, 300)
    assert "10 days" in loss_reference(Binary(), few).refused
    day = shifted_rows(np.random.default_rng(3), 100, 1, 400)
    assert "20 rows" in estimated_loss(reference, day.take(np.arange(20))).refused
    assert "outside the region" in estimated_loss(reference, outputs_of(day, np.full((400, 1), 0.9999))).refused
    far = shifted_rows(np.random.default_rng(3), 100, 1, 4000, shift=4.0)
    near = replace(far, outputs=shifted_rows(np.random.default_rng(3), 100, 1, 4000).outputs)
    assert "look" in estimated_loss(reference, near, "pape").refused
    assert "no calibrated" in loss_reference(Regression(), few).refused


def test_it_refuses_when_the_calibration_fails_on_days_left_out() -> None:
    """The meaning of a score that jumps from class to class along the scores cannot be calibrated smoothly."""
    rows = shifted_rows(np.random.default_rng(4), 0, 30, 300)
    wild = (np.sin(40 * rows.outputs[:, 0]) > 0).astype(float)
    assert "calibration is off" in loss_reference(Binary(), replace(rows, labels=wild)).refused


def test_several_classes_are_estimated_by_their_own_loss() -> None:
    """Three classes with scores that overstate: the estimate is near the realised loss, unlike the scores' own."""
    random, objective = np.random.default_rng(5), Multiclass(("a", "b", "c"))
    days = np.repeat(np.arange(31), 300)
    odds = random.normal(size=(len(days), 3))
    truth, told = (np.exp(k * odds) / np.exp(k * odds).sum(axis=1, keepdims=True) for k in (1, 2))
    labels = (random.random((len(days), 1)) > truth.cumsum(axis=1)).sum(axis=1).astype(float)
    rows = ObservedRows(days, {}, told, np.minimum(labels, 2))
    day = rows.take(days == 30)
    found = estimated_loss(loss_reference(objective, rows.take(days < 30)), day, "cbpe")
    by_class = losses_by_class(objective, day.outputs)
    actual = by_class[np.arange(300), day.labels.astype(int)].mean()
    assert found.loss == pytest.approx(actual, abs=0.1)
    assert abs((told[days == 30] * by_class).sum(axis=1).mean() - actual) > 0.1


def test_a_column_without_values_is_no_hindrance(reference: LossReference) -> None:
    """An input that is missing in every row tells nothing, and stops no estimate."""
    never = np.full(len(reference.rows), np.nan)
    rows = replace(reference.rows, inputs={**reference.rows.inputs, "never": never})
    day = shifted_rows(np.random.default_rng(1), 100, 1, 400, bend=1.2)
    day = replace(day, inputs={**day.inputs, "never": np.full(400, np.nan)})
    assert estimated_loss(replace(reference, rows=rows), day, "pape").loss is not None
