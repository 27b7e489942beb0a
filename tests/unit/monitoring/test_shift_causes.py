"""Proves that causes of a change are told apart, and that what cannot hurt does not ring."""

from dataclasses import replace

import numpy as np
import pytest

from smallbox.arrays import Array
from smallbox.monitoring.estimated_loss import LossReference, loss_reference
from smallbox.monitoring.findings import Finding
from smallbox.monitoring.observed_rows import ObservedRows
from smallbox.monitoring.shift_causes import shift_causes
from smallbox.objectives.binary import Binary
from smallbox.objectives.regression import Regression
from tests.unit.monitoring.shifted_rows import another_prior, shifted_rows

IMPORTANCE = {"x": 0.05, "z": 0.05, "place": 0.0}


@pytest.fixture(scope="module")
def reference() -> LossReference:
    """Forty days without a shift."""
    return loss_reference(Binary(), shifted_rows(np.random.default_rng(0), 0, 40, 400, day_sd=0.1))


def recent(seed: int, days: int = 5, shift: float = 0.0, concept: float = 0.0) -> ObservedRows:
    """Days after the reference."""
    return shifted_rows(np.random.default_rng(seed), 100, days, 400, shift, concept, day_sd=0.1)


def with_input(rows: ObservedRows, name: str, values: Array) -> ObservedRows:
    """The rows with other values of one input."""
    return replace(rows, inputs={**rows.inputs, name: values})


def only(found: list[Finding]) -> Finding:
    """The single finding."""
    assert len(found) == 1, [(one.kind, one.sentence) for one in found]
    return found[0]


def test_without_a_change_hardly_anything_is_found() -> None:
    """Of 60 pairs of reference and five days at most 6 show anything; each of three tests may err in 1 %."""
    found = 0
    for seed in range(60):
        own = loss_reference(Binary(), shifted_rows(np.random.default_rng(1000 + seed), 0, 30, 200, day_sd=0.1))
        found += bool(shift_causes(own, recent(seed + 1), IMPORTANCE))
    assert found <= 6


def test_moved_inputs_are_a_covariate_shift(reference: LossReference) -> None:
    """Inputs move, labels given inputs do not: the moved and important input comes first."""
    finding = only(shift_causes(reference, recent(1, shift=0.5), IMPORTANCE))
    assert (finding.kind, finding.subject, finding.severity) == ("covariate_shift", "x", "incident")


def test_a_moved_input_that_cannot_hurt_is_a_notice(reference: LossReference) -> None:
    """An input that the score does not use moves: a true change, and no incident."""
    rows = recent(2)
    moved = with_input(
        rows, "place", np.where(np.arange(len(rows)) % 3 > 0, "JFK", rows.inputs["place"]).astype(object)
    )
    found = shift_causes(reference, moved, IMPORTANCE)
    assert found
    assert {one.severity for one in found} == {"notice"}


def test_labels_that_change_given_inputs_are_a_concept_shift(reference: LossReference) -> None:
    """The residual loss rises where x is positive: the slice is named, and a training can mend it."""
    finding = only(shift_causes(reference, recent(3, concept=1.5), IMPORTANCE))
    assert (finding.kind, finding.subject, finding.remedy) == ("concept_shift", "x", "retrain")
    assert finding.severity == "incident"
    assert "x is above" in finding.sentence


def test_without_labels_a_concept_shift_shows_nothing(reference: LossReference) -> None:
    """The same rows before their labels: nothing is claimed."""
    rows = recent(3, concept=1.5)
    assert shift_causes(reference, replace(rows, labels=np.full(len(rows), np.nan)), IMPORTANCE) == []


def test_a_moved_share_of_positives_is_a_label_shift(reference: LossReference) -> None:
    """Most positive rows go missing while inputs given the label stay: the prior, not the concept."""
    rows = another_prior(np.random.default_rng(4), recent(4, shift=0.0), kept=0.4)
    kinds = [one.kind for one in shift_causes(reference, rows, IMPORTANCE)]
    assert "label_shift" in kinds
    assert "concept_shift" not in kinds


@pytest.mark.parametrize("factor", [1 / 1000, 60, 2.54, 1 / 1.609344])
def test_a_factor_between_units_is_a_data_fault(factor: float) -> None:
    """A positive column that is the reference's by a factor is named as another unit, and mended at the source."""
    random = np.random.default_rng(5)
    first = shifted_rows(random, 0, 30, 300, day_sd=0.1)
    own = loss_reference(Binary(), with_input(first, "miles", random.gamma(4, 100, len(first))))
    rows = recent(6)
    found = shift_causes(own, with_input(rows, "miles", factor * random.gamma(4, 100, len(rows))), {"miles": 0.05})
    finding = only(found)
    assert (finding.kind, finding.subject, finding.remedy) == ("data_fault", "miles", "mend the source")
    assert finding.severity == "incident"


def fault_of(reference: LossReference, values: Array) -> str:
    """What is found of column z with these values in recent days."""
    found = shift_causes(reference, with_input(recent(7), "z", values), IMPORTANCE)
    return next((str(one.evidence.get("fault")) for one in found if one.subject == "z" and "fault" in one.evidence), "")


def test_a_fault_of_a_number_s_input_rings_too() -> None:
    """A regression is not estimated before its labels come, and what a wrong unit costs is judged by its usual loss."""
    rows = shifted_rows(np.random.default_rng(0), 0, 40, 400)
    usual = loss_reference(Regression(), rows)
    assert usual.refused
    assert usual.loss == pytest.approx(float(((rows.outputs[:, 0] - rows.labels) ** 2).mean()))
    found = only(shift_causes(usual, with_input(recent(1), "z", 1000 * recent(1).inputs["z"]), {"z": 0.1}))
    assert (found.kind, found.subject, found.severity) == ("data_fault", "z", "incident")


def test_celsius_for_fahrenheit_a_default_a_stall_and_nulls(reference: LossReference) -> None:
    """Each fault of one column is named; a column of the same distribution shows none."""
    z = recent(7).inputs["z"]
    every = np.arange(len(z))
    assert fault_of(reference, z) == ""
    assert fault_of(reference, 1.8 * z + 32) == "unit change"
    assert fault_of(reference, np.where(every % 10 == 0, 0.0, z)) == "default creeping in"
    assert fault_of(reference, np.repeat(z[::100], 100)) == "stale upstream"
    assert fault_of(reference, np.where(every % 20 == 0, np.nan, z)) == "missing values"


def test_columns_without_values_break_nothing(reference: LossReference) -> None:
    """A column that is always missing, or was known on one day only, is no cause of a concept shift."""
    rows, old = recent(9, concept=1.5), reference.rows
    nothing, one_day = np.full(len(old), np.nan), np.where(old.days == 0, 1.0, np.nan)
    own = loss_reference(Binary(), with_input(with_input(old, "never", nothing), "once", one_day))
    moved = with_input(with_input(rows, "never", np.full(len(rows), np.nan)), "once", np.full(len(rows), np.nan))
    assert only(shift_causes(own, moved, IMPORTANCE)).subject == "x"
