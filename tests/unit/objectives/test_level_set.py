"""Proves that setting the level leaves what a level cannot hide: the order of the rows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallbox.objectives.binary import Binary
from smallbox.objectives.multiclass import Multiclass
from smallbox.objectives.objective import Scored
from smallbox.objectives.probabilities import level_set
from smallbox.objectives.regression import Regression


def _rows(random: np.random.Generator, count: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Chances, and labels that happen as they say."""
    chances = random.uniform(0.05, 0.6, count)
    return chances, (random.random(count) < chances).astype(float)


@given(st.floats(-2, 2), st.integers(0, 99))
def test_a_wrong_level_costs_nothing_once_it_is_set(shift: float, seed: int) -> None:
    """Scores whose log-odds are all shifted have the loss of those that are not, to a hundredth."""
    chances, labels = _rows(np.random.default_rng(seed))
    shifted = 1 / (1 + np.exp(-(np.log(chances / (1 - chances)) + shift)))
    losses = [
        Binary().losses(Binary().with_level_set(Scored(one[:, None], labels, np.zeros(400, int)))).values.mean()
        for one in (chances, shifted)
    ]
    assert losses[1] == pytest.approx(losses[0], abs=0.01)


def test_the_order_of_scores_stays_and_a_worse_order_costs_more() -> None:
    """Setting the level is monotone in the score, and shuffled scores still lose more."""
    random = np.random.default_rng(1)
    chances, labels = _rows(random)
    objective = Binary()
    found = objective.with_level_set(Scored(chances[:, None], labels, np.zeros(400, int))).outputs[:, 0]
    assert (np.argsort(found) == np.argsort(chances)).all()
    shuffled = objective.with_level_set(Scored(random.permutation(chances)[:, None], labels, np.zeros(400, int)))
    own = objective.with_level_set(Scored(chances[:, None], labels, np.zeros(400, int)))
    assert objective.losses(shuffled).values.mean() > objective.losses(own).values.mean() + 0.02


def test_a_class_that_never_happened_stays_possible() -> None:
    """On a day with one class the probabilities stay within 0 and 1; unknown classes are left out of the fit."""
    found = level_set(np.tile([0.5, 0.3, 0.2], (50, 1)), np.array([0] * 49 + [-1]))
    assert ((found > 0) & (found < 1)).all()
    assert found.sum(axis=1) == pytest.approx(np.ones(50))


@given(st.lists(st.floats(0.001, 0.999), min_size=20, max_size=60), st.integers(0, 2**20))
def test_the_mean_probability_becomes_the_share(chances: list[float], labels: int) -> None:
    """After the fit the mean is the share of labels, up to what the prior takes: at most the offset, over the rows."""
    happened = np.array([(labels >> (at % 20)) & 1 for at in range(len(chances))])
    score = np.array(chances)
    found = level_set(np.column_stack([1 - score, score]), happened)
    offset = np.log(found[:, 1] / found[:, 0]) - np.log(score / (1 - score))
    assert offset == pytest.approx(np.full(len(score), offset[0]), abs=1e-6)
    missing = float(happened.sum() - found[:, 1].sum())
    assert missing == pytest.approx(offset[0] / 2, abs=1e-3)


def test_kinds_without_a_level_say_so() -> None:
    """Classes have one; a number has none."""
    rows = Scored(np.array([[0.2, 0.5, 0.3]] * 3), np.array([0.0, 1.0, 2.0]), np.zeros(3, int))
    assert Multiclass(classes=("a", "b", "c")).with_level_set(rows) is not None
    assert Regression().with_level_set(Scored(np.zeros((2, 1)), np.zeros(2), np.zeros(2, int))) is None
