"""Proves the weekly joint check: when it runs, what its features see, and when what it finds is an incident."""

from dataclasses import replace

import numpy as np
import pytest

from smallbox.arrays import Array
from smallbox.monitoring.estimated_loss import LossReference, loss_reference
from smallbox.monitoring.joint_check import ends_a_week, joint_check
from smallbox.monitoring.joint_features import joint_features
from smallbox.monitoring.observed_rows import ObservedRows
from smallbox.objectives.binary import Binary
from smallbox.times import DAY
from tests.unit.monitoring.shifted_rows import shifted_rows

SINCE = 42


def weeks(shift: float = 0.0) -> tuple[LossReference, ObservedRows]:
    """Six weeks of days, and one whose ``x`` is higher: its scores are surer of a class that is less sure."""
    old = shifted_rows(np.random.default_rng(0), 0, SINCE, 150)
    new = shifted_rows(np.random.default_rng(1), SINCE, 7, 150, shift=shift)
    inputs: dict[str, Array] = {name: np.concatenate([old.inputs[name], new.inputs[name]]) for name in old.inputs}
    parts = (np.concatenate([getattr(old, one), getattr(new, one)]) for one in ("outputs", "labels"))
    return loss_reference(Binary(), old), ObservedRows(np.concatenate([old.days, new.days]), inputs, *parts)


def test_it_is_due_once_a_week() -> None:
    """Of seven days in a row one ends a week."""
    assert [ends_a_week(day * DAY) for day in range(15770, 15777)].count(True) == 1


def test_a_week_that_differs_is_an_incident_where_the_scores_expect_it_to_cost() -> None:
    """A higher ``x`` moves scores to where labels are less sure; what the reference cannot estimate is a notice."""
    reference, rows = weeks(shift=0.8)
    (found,) = joint_check(reference, rows, SINCE, 0.02).findings
    assert (found.kind, found.subject, found.severity) == ("joint_shift", "x", "incident")
    assert (found.effect or 0) > 0.02 * reference.loss
    assert "more than 48 other runs" in found.sentence
    for one, hurts in ((replace(reference, refused="few days"), 0.02), (reference, 0.5)):
        assert joint_check(one, rows, SINCE, hurts).findings[0].severity == "notice"


def test_a_week_like_the_others_is_told_and_no_finding() -> None:
    """The figures stand in the report: the AUC near one half, and how many runs of days differ more."""
    found = joint_check(*weeks(), SINCE, 0.02)
    assert found.findings == ()
    assert found.document["rank"] > 1
    assert abs(found.document["auc"] - 0.5) < 0.05
    assert found.document["since"] == "1970-02-12"


def test_too_few_days_give_no_check() -> None:
    """A version that has answered for two weeks has nothing to be compared with."""
    reference, rows = weeks()
    assert joint_check(reference, rows.take(rows.days >= 30), SINCE, 0.02).document == {}


@pytest.mark.parametrize(
    ("change", "carrier"),
    [
        (lambda x: x**3 * 1000, ""),
        (lambda x: np.where(np.arange(len(x)) % 3, x, np.nan), "x"),
        (lambda x: 2 * x, "x"),
        (lambda x: x[np.argsort(np.arange(len(x)) % 7, kind="stable")], ""),
    ],
    ids=["another scale in all rows", "missing", "wider", "shuffled"],
)
def test_features_see_place_spread_and_what_is_missing(change: object, carrier: str) -> None:
    """The week's values are changed, or all values where the change keeps their order."""
    _, rows = weeks()
    before = rows.days < SINCE
    x = rows.inputs["x"]
    assert callable(change)
    changed = change(x) if carrier == "" else np.where(before, x, change(x))
    features, names = joint_features(replace(rows, inputs={**rows.inputs, "x": changed}), before)
    assert np.isfinite(features).all()
    usual, _ = joint_features(rows, before)
    moved = np.abs((features - usual)[~before].mean(axis=0)) > 0.04
    assert {name for name, is_moved in zip(names, moved, strict=True) if is_moved} == ({carrier} if carrier else set())
