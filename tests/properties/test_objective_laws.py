"""Proves the laws of objectives: what every stage counts on holds for every kind of label, and for every loss."""

import importlib
import json
import math
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import smallbox.objectives
from smallbox.arrays import Array, Ints
from smallbox.errors import DefinitionError, NotReady
from smallbox.objectives.measure import loss_difference, mean_loss, measure
from smallbox.objectives.objective import Objective, Scored
from smallbox.objectives.regression import Regression, RegressionLoss
from smallbox.objectives.stored_objective import objective_of
from smallbox.statistics.intervals import Interval
from tests.properties.objective_cases import BINARY, CASES, MULTICLASS, QUANTILES, RANKING, Case

every = pytest.mark.parametrize("case", CASES.values(), ids=CASES)
WITH_QUANTILES = {name: case for name, case in CASES.items() if name.endswith("and quantiles")}
SHARES = {"auc", "calibration_error", "mean_score", "positive_rate", "accuracy", "macro_f1", "ndcg", "pairs_in_order"}


def test_no_objective_is_left_out() -> None:
    """Each module with an objective is in the list of cases, each loss of a number with and without quantiles."""
    folder, covered = Path(smallbox.objectives.__path__[0]), {type(case.objective) for case in CASES.values()}
    found = set()
    for path in folder.glob("[!_]*.py"):
        names = vars(importlib.import_module(f"smallbox.objectives.{path.stem}"))
        found |= {one for one in names.values() if isinstance(one, type) and issubclass(one, Objective)}
    assert {one.kind for one in found - {Objective}} == {one.kind for one in covered}
    numbers = [case.objective for case in CASES.values() if isinstance(case.objective, Regression)]
    written = {(one.loss, bool(one.quantiles)) for one in numbers}
    every_loss = {(loss, has) for loss in get_args(RegressionLoss) for has in (False, True)}
    assert written == every_loss - {("quantile", False)}


@every
@given(st.data())
def test_a_loss_is_a_sum_so_merged_parts_change_nothing(case: Case, data: st.DataObject) -> None:
    """Rows split into parts in any way, groups whole, have the losses that they have together."""
    rows = data.draw(case.rows())
    unit = rows.groups if case.objective.group else np.arange(len(rows))
    first = np.isin(unit, data.draw(st.lists(st.integers(0, 24))))
    parts = [case.objective.losses(rows.take(mask)).values for mask in (first, ~first)]
    together = case.objective.losses(rows)
    np.testing.assert_allclose(np.sort(np.concatenate(parts)), np.sort(together.values), atol=1e-12)
    assert sum(map(len, parts)) == len(together.rows)
    assert np.isfinite(together.values).all()


@every
@given(st.data())
def test_the_order_of_rows_changes_nothing(case: Case, data: st.DataObject) -> None:
    """Neither the loss of a row or group, nor the mean, nor a figure with its bounds."""
    rows = data.draw(case.rows(least=1))
    order = np.array(data.draw(st.permutations(range(len(rows)))), np.int64)
    mixed = rows.take(order)
    ours, theirs = _by_unit(case, rows, np.arange(len(rows))), _by_unit(case, mixed, order)
    assert ours == pytest.approx(theirs, abs=1e-12)
    one, other = (_flat(measure(case.objective, found)) for found in (rows, mixed))
    assert one.keys() == other.keys()
    assert one == pytest.approx(other, abs=1e-9, nan_ok=True)


def _by_unit(case: Case, rows: Scored, names: Ints) -> dict[int, float]:
    """The loss of each group by its number, or of each row by its name."""
    losses = case.objective.losses(rows)
    units = rows.groups if case.objective.group else names
    return dict(zip(units[losses.rows].tolist(), losses.values.tolist(), strict=True))


def _flat(metrics: Any) -> dict[str, Any]:
    figures = {"loss": metrics["loss"], **metrics["figures"]}
    bounds = {f"{name}.{at}": value for name, one in figures.items() for at, value in one.items()}
    return {"rows": metrics["rows"], "rarer_rows": metrics["rarer_rows"], **bounds}


@every
@given(st.data())
def test_the_truth_has_the_smallest_expected_loss_and_is_the_baseline(case: Case, data: st.DataObject) -> None:
    """Of any distribution the shares, the mean, the median or the quantiles lose least, and the baseline no more."""
    rows = data.draw(case.rows(least=1))
    baseline = case.objective.baseline(rows.labels)
    case.objective.check_outputs(baseline, "baseline")
    least = mean_loss(case.objective, rows.beside(case.best(rows.labels))).value
    other = mean_loss(case.objective, rows.beside(data.draw(case.outputs))).value
    assert math.isnan(least) or least <= other + 1e-9
    assert mean_loss(case.objective, rows.beside(baseline)).value == pytest.approx(least, abs=1e-9, nan_ok=True)


@given(st.integers(1, 9), st.floats(-5, 5))
def test_the_true_order_of_a_ranking_has_the_smallest_expected_loss(better: int, ahead: float) -> None:
    """Where the first row is the better one in that many of ten groups, the loss is smallest at that logit."""
    grades = np.array([[1.0, 0.0] if group < better else [0.0, 1.0] for group in range(10)]).ravel()
    rows = Scored(np.zeros((20, 1)), grades, np.repeat(np.arange(10), 2))
    true, other = (
        mean_loss(RANKING.objective, Scored(np.tile([[lead], [0.0]], (10, 1)), grades, rows.groups)).value
        for lead in (math.log(better / (10 - better)), ahead)
    )
    assert true <= other + 1e-12


@every
@given(st.data())
def test_a_valid_fallback_is_taken_as_it_is(case: Case, data: st.DataObject) -> None:
    """Its outputs are those that were written, one for each column, and can be answered with."""
    outputs = data.draw(case.outputs)
    found = case.objective.fallback_outputs(case.declared(outputs), "fallback")
    assert found == outputs
    assert len(found) == len(case.objective.outputs)
    assert json.loads(json.dumps(case.objective.answer(found), allow_nan=False))


@every
@pytest.mark.parametrize(
    "wrong", [None, "0.5", True, math.nan, math.inf, [0.5], {}, {"score": 0.5, "other": 0.5}, {"On time": 1.0}]
)
def test_a_fallback_that_is_no_prediction_is_refused(case: Case, wrong: Any) -> None:
    """Another type, not a finite number, or not one number for each class or output."""
    with pytest.raises(DefinitionError, match="the place"):
        case.objective.fallback_outputs(wrong, "the place")


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("binary", -0.01),
        ("binary", 1.01),
        ("multiclass", {"On time": 0.5, "late": 0.5, "very late/ lost": 0.5}),
        ("multiclass", {"On time": -0.5, "late": 1.0, "very late/ lost": 0.5}),
        ("multiclass", {"On time": "1", "late": 0.0, "very late/ lost": 0.0}),
        ("poisson", -1.0),
        ("poisson and quantiles", {"score": -1.0, "score_q5": 0, "score_q25": 0, "score_q50": 0, "score_q90": 0}),
        ("squared and quantiles", {"score": 0, "score_q5": 2, "score_q25": 1, "score_q50": 3, "score_q90": 4}),
        ("quantile and quantiles", {"score_q5": 0, "score_q25": 1, "score_q50": 5, "score_q90": 4}),
        ("squared and quantiles", 3.0),
    ],
)
def test_outputs_out_of_their_range_are_refused(name: str, wrong: Any) -> None:
    """A probability beyond 0 to 1, classes that do not add up to 1, a negative mean of counts, crossed quantiles."""
    with pytest.raises(DefinitionError, match="the place"):
        CASES[name].objective.fallback_outputs(wrong, "the place")


@every
def test_an_objective_comes_back_from_its_document(case: Case) -> None:
    """Through JSON it is the same, in its columns too; a kind that is not there is said in words."""
    document = json.loads(json.dumps(case.objective.as_json()))
    assert objective_of(document) == case.objective
    assert (document["kind"], objective_of(document).outputs) == (case.objective.kind, case.objective.outputs)
    with pytest.raises(NotReady, match="this release has no objective 'survival'"):
        objective_of(document | {"kind": "survival"})


@every
def test_each_output_is_a_column_of_one_head(case: Case) -> None:
    """Names are unique and fit for a table; the columns that are read of each head are as many as the outputs."""
    outputs = case.objective.outputs
    assert len(set(outputs)) == len(outputs) == len(case.objective.heads) * len(case.objective.onnx_columns)
    assert all(name.isidentifier() and name == name.lower() and name.startswith("score") for name in outputs)


@given(st.lists(st.integers(0, 2), max_size=20), st.lists(st.booleans(), max_size=20), st.lists(st.integers(-9, 9)))
def test_labels_come_back_from_their_numbers(positions: list[int], flags: list[bool], numbers: list[int]) -> None:
    """Classes by their position, also where some do not occur; booleans and numbers as they are."""
    classes = MULTICLASS.objective.classes  # type: ignore[attr-defined]
    texts: Array = np.array([classes[at] for at in positions], object)
    assert [classes[int(at)] for at in MULTICLASS.objective.encoded(texts)] == texts.tolist()
    assert MULTICLASS.objective.targets(MULTICLASS.objective.encoded(texts)).tolist() == positions
    assert BINARY.objective.targets(BINARY.objective.encoded(np.array(flags, bool))).tolist() == flags
    assert Regression().encoded(np.array(numbers)).tolist() == numbers
    assert RANKING.objective.encoded(np.array(flags, bool)).tolist() == [float(one) for one in flags]
    assert RANKING.objective.encoded(np.array(numbers)).tolist() == [max(one, 0) for one in numbers]


def test_rows_of_one_class_have_a_loss_and_no_auc() -> None:
    """What the rows cannot tell is ``None``, which is JSON; what they can is told."""
    found = measure(BINARY.objective, Scored(np.array([[0.2], [0.4]]), np.ones(2), np.zeros(2, np.int64)))
    assert found["figures"]["auc"] == {"value": None, "low": None, "high": None}
    assert found["loss"]["value"] == pytest.approx(-np.log([0.2, 0.4]).mean())
    assert found["rarer_rows"] == 0


def test_a_text_that_is_no_class_was_given_no_probability() -> None:
    """It costs as much as a certain mistake, is not in the baseline, counts in no part, and trains nothing."""
    objective = MULTICLASS.objective
    labels = objective.encoded(np.array(["late", "lost", "late"], object))
    assert labels.tolist() == [1, -1, 1]
    rows = Scored(np.array([[0.0, 1.0, 0.0]] * 3), labels, np.zeros(3, np.int64))
    assert objective.losses(rows).values.round(3).tolist() == [0.0, 34.539, 0.0]
    assert objective.baseline(labels) == (0, 1, 0)
    assert sum(mask.sum() for mask in objective.parts(labels).values()) == 2
    with pytest.raises(NotReady, match="1 training rows have a label that is none of the classes On time, late"):
        objective.targets(labels)


@every
@given(st.data())
def test_figures_lie_in_their_ranges(case: Case, data: st.DataObject) -> None:
    """They are those that guardrails may name; each value is between its bounds, a share between 0 and 1."""
    rows = data.draw(case.rows())
    found = case.objective.measured(rows)
    assert tuple(found) == case.objective.figures
    for name, one in found.items():
        assert math.isnan(one.low) or one.low <= one.value + 1e-12, name
        assert math.isnan(one.high) or one.value <= one.high + 1e-12, name
        assert math.isnan(one.value) or _is_possible(name, one.value), name
    json.dumps(measure(case.objective, rows), allow_nan=False)


def _is_possible(name: str, value: float) -> bool:
    if name in SHARES or name.startswith("below_"):
        return -1e-12 <= value <= 1 + 1e-12
    return name == "bias" or value >= 0


@every
def test_without_rows_nothing_is_known(case: Case) -> None:
    """All figures and the loss are ``None``, and no row is counted."""
    rows = Scored(np.empty((0, len(case.objective.outputs))), np.empty(0), np.empty(0, np.int64))
    assert set(_flat(measure(case.objective, rows)).values()) == {0, None}
    assert math.isnan(loss_difference(case.objective, rows, rows).value)


@every
@given(st.data())
def test_a_difference_of_losses_is_that_of_their_means(case: Case, data: st.DataObject) -> None:
    """Also by day; it turns with the sides, and nothing differs from itself."""
    rows, days = data.draw(case.rows(least=2)), None
    if data.draw(st.booleans()):
        days = np.arange(len(rows)) // 4
    other = rows.beside(np.array([data.draw(case.outputs) for _ in range(len(rows))]))
    there, back = loss_difference(case.objective, rows, other, days), loss_difference(case.objective, other, rows, days)
    apart = mean_loss(case.objective, rows, days).value - mean_loss(case.objective, other, days).value
    assert there.value == pytest.approx(apart, abs=1e-9, nan_ok=True)
    turned = Interval(-back.value, -back.high, -back.low)
    assert there.as_json() == pytest.approx(turned.as_json(), abs=1e-9)
    assert loss_difference(case.objective, rows, rows, days).value in (0, pytest.approx(math.nan, nan_ok=True))


@every
@given(st.data())
def test_outcomes_part_the_rows(case: Case, data: st.DataObject) -> None:
    """Each row is in one part; the rarest outcome has the rows of the smallest, a number has all."""
    labels = data.draw(case.rows(least=1)).labels
    parts = case.objective.parts(labels)
    assert (np.sum(list(parts.values()), axis=0) == 1).all()
    sizes = [int(mask.sum()) for mask in parts.values()]
    assert case.objective.rarer(labels) == (len(labels) if "number" in case.objective.label_types else min(sizes))


@pytest.mark.parametrize("case", WITH_QUANTILES.values(), ids=WITH_QUANTILES)
@given(st.data())
def test_sorting_crossed_quantiles_never_costs(case: Case, data: st.DataObject) -> None:
    """The mean pinball loss of a row does not grow, the point stays, and the outputs become valid."""
    rows = data.draw(case.rows(least=1))
    crossed, at = rows.outputs.copy(), case.objective.ascending
    crossed[:, at] = crossed[:, at][:, data.draw(st.permutations(range(len(QUANTILES))))]
    arranged = case.objective.arranged(crossed)
    np.testing.assert_array_equal(arranged, rows.outputs)
    before, after = (
        Regression("quantile", QUANTILES).losses(Scored(outputs[:, at], rows.labels, rows.groups)).values
        for outputs in (crossed, arranged)
    )
    assert (after <= before + 1e-12).all()
