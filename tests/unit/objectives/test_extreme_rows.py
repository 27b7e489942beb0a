"""Proves that losses and figures of extreme rows are right, and finite wherever they can be."""

import math
import tracemalloc
from collections.abc import Mapping

import numpy as np
import pytest

from smallbox.define import Binary, Multiclass, Ranking, Regression
from smallbox.documents.metrics import Metric
from smallbox.objectives.measure import loss_difference, mean_loss, measure, scarcest
from smallbox.objectives.objective import Objective, Scored

OBJECTIVES = {
    "binary": Binary(),
    "multiclass": Multiclass(("a", "b", "c")),
    "squared": Regression(quantiles=(0.1, 0.9)),
    "absolute": Regression("absolute"),
    "poisson": Regression("poisson"),
    "quantile": Regression("quantile", quantiles=(0.1, 0.5, 0.9)),
    "ranking": Ranking("g"),
}


def scored(outputs: list[list[float]], labels: list[float], groups: list[int] | None = None) -> Scored:
    """Rows, of one group unless groups are given."""
    return Scored(np.array(outputs, float), np.array(labels, float), np.array(groups or [0] * len(labels)))


def finite(figures: Mapping[str, Metric]) -> bool:
    """Whether every figure has a value."""
    return all(one["value"] is not None and math.isfinite(one["value"]) for one in figures.values())


@pytest.mark.parametrize("objective", OBJECTIVES.values(), ids=OBJECTIVES)
def test_no_rows_have_no_loss_and_raise_nothing(objective: Objective) -> None:
    """An empty labelled table gives unknown figures, for every objective."""
    nothing = Scored(np.empty((0, len(objective.outputs))), np.empty(0), np.empty(0, np.int64))
    found = measure(objective, nothing)
    assert (found["rows"], found["rarer_rows"], found["loss"]["value"]) == (0, 0, None)
    assert set(found["figures"]) == set(objective.figures)
    assert {one["value"] for one in found["figures"].values()} == {None}
    assert math.isnan(loss_difference(objective, nothing, nothing).value)
    assert objective.parts(nothing.labels) is not None


@pytest.mark.parametrize("objective", [OBJECTIVES["squared"], OBJECTIVES["absolute"], OBJECTIVES["quantile"]])
def test_labels_of_a_billion_have_finite_figures(objective: Objective) -> None:
    """Squares of a billion are added up without overflow, and the tolerance is in the unit of the labels."""
    labels = np.linspace(1e9, 2e9, 100)
    rows = Scored(np.tile(labels[:, None] + 1e8, (1, len(objective.outputs))), labels, np.zeros(100, int))
    found = measure(objective, rows, np.arange(100) // 10)
    assert finite({"loss": found["loss"], **found["figures"]})
    assert 2.9e4 < objective.tolerance(labels) < 3.1e4
    assert objective.tolerance(labels / 1e12) < 1e-6, "and not wider for small units"


@pytest.mark.parametrize("objective", [OBJECTIVES["squared"], OBJECTIVES["absolute"], OBJECTIVES["quantile"]])
def test_the_baseline_is_the_best_constant_even_among_ties(objective: Objective) -> None:
    """With many equal labels no other constant has a smaller loss, and no quantile lies between two labels for it."""
    labels = np.repeat([0.0, 0.0, 0.0, 5.0, 9.0], [60, 20, 5, 10, 7])
    rows = Scored(np.zeros((len(labels), len(objective.outputs))), labels, np.zeros(len(labels), int))
    best = mean_loss(objective, rows.beside(objective.baseline(labels))).value
    others = [mean_loss(objective, rows.beside((c,) * len(objective.outputs))).value for c in np.linspace(-1, 10, 221)]
    assert best <= min(others) + 1e-9
    found = measure(objective, rows.beside(objective.baseline(labels)))
    assert finite(found["figures"])


@pytest.mark.parametrize("objective", [OBJECTIVES["squared"], OBJECTIVES["ranking"]], ids=["squared", "ranking"])
def test_rows_of_a_single_day_count_as_independent(objective: Objective) -> None:
    """One day cannot show how days differ; two days do, with a wider interval that is finite."""
    random = np.random.default_rng(3)
    outputs = random.normal(size=(60, len(objective.outputs)))
    rows = Scored(outputs, random.integers(0, 3, 60).astype(float), np.arange(60) // 6)
    one = mean_loss(objective, rows, np.zeros(60, int))
    assert one == mean_loss(objective, rows)
    two = mean_loss(objective, rows, np.arange(60) // 30)
    assert two.low < one.low < one.high < two.high < math.inf


def test_a_class_that_never_happens_makes_nothing_of_it_rare() -> None:
    """Of a class without rows there are 0, so nothing is judged; figures leave it out and stay finite."""
    objective = OBJECTIVES["multiclass"]
    rows = scored([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1]], [0, 1])
    found = measure(objective, rows)
    assert found["rarer_rows"] == 0
    assert finite({"loss": found["loss"], **found["figures"]})


def test_groups_without_a_pair_are_no_unit() -> None:
    """A group of one row, and one whose grades are all equal, order nothing: neither is counted nor judged."""
    rows = scored([[1], [1], [0], [2], [1]], [2, 1, 1, 1, 0], [1, 2, 2, 3, 3])
    losses = OBJECTIVES["ranking"].losses(rows)
    assert losses.rows.tolist() == [3]
    assert losses.values == pytest.approx([math.log1p(math.exp(-1))])
    assert scarcest(OBJECTIVES["ranking"], rows) == 1
    assert measure(OBJECTIVES["ranking"], rows)["figures"]["ndcg"]["value"] == 1


def test_a_group_that_was_asked_for_in_two_requests_is_one() -> None:
    """Rows of a group are paired wherever they stand in the table."""
    together = scored([[3], [2], [1], [9]], [0, 1, 2, 5], [7, 7, 7, 8])
    apart = together.take(np.array([0, 3, 1, 2]))
    one, two = (OBJECTIVES["ranking"].losses(rows) for rows in (together, apart))
    assert one.values == pytest.approx(two.values)
    assert (one.rows.tolist(), two.rows.tolist()) == ([0], [0])


def test_the_loss_of_a_group_is_the_mean_over_its_pairs() -> None:
    """Against every pair written out, for groups of many sizes in any order."""
    random = np.random.default_rng(1)
    groups, grades = random.integers(0, 30, 300), random.integers(0, 4, 300).astype(float)
    rows = Scored(random.normal(size=(300, 1)), grades, groups)
    expected = {}
    for group in range(30):
        own = np.flatnonzero(groups == group)
        pairs = [rows.outputs[i, 0] - rows.outputs[j, 0] for i in own for j in own if grades[i] > grades[j]]
        if pairs:
            expected[int(own[0])] = float(np.mean(np.log1p(np.exp(-np.array(pairs)))))
    found = OBJECTIVES["ranking"].losses(rows)
    assert dict(zip(found.rows.tolist(), found.values.tolist(), strict=True)) == pytest.approx(expected)


def test_a_group_of_thousands_needs_no_memory_for_its_pairs() -> None:
    """The two million pairs of 2,000 rows are never held at once."""
    random = np.random.default_rng(2)
    rows = Scored(random.normal(size=(2000, 1)), random.integers(0, 3, 2000).astype(float), np.zeros(2000, int))
    tracemalloc.start()
    try:
        loss = mean_loss(OBJECTIVES["ranking"], rows).value
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()
    assert 0.5 < loss < 1.5


def test_grades_out_of_range_poison_no_figure() -> None:
    """A negative grade, or one of thousands, leaves NDCG and loss finite when it comes in live."""
    found = measure(OBJECTIVES["ranking"], scored([[3], [2], [1]], [-1, 5000, 0]))
    assert finite({"loss": found["loss"], **found["figures"]})


def test_a_class_without_numbers_is_not_named() -> None:
    """Where the model gave no number no class is the most probable."""
    answer = OBJECTIVES["multiclass"].answer([math.nan] * 3)
    assert answer["class"] is None
