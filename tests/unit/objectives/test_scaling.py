"""Proves what the scale of a ranking's score is good for: the loss no longer depends on the unit of the grades."""

import numpy as np
import pytest

from smallbox.arrays import Floats, Ints
from smallbox.objectives.objective import Scored
from smallbox.objectives.ranking import Ranking
from smallbox.objectives.scaling import ScaledScore


class Told:
    """A fitted regressor that predicts its input."""

    def predict(self, inputs: Floats) -> Floats:
        return inputs


def _rows(unit: float) -> tuple[Floats, Floats, Ints]:
    """Scores of grades 0 and 1 in groups of four, right more often than not; labels and groups."""
    random = np.random.default_rng(0)
    labels = np.tile(np.array([1.0, 0.0, 0.0, 1.0]), 300)
    return unit * (labels + random.normal(0, 0.7, 1200)), labels, np.arange(1200, dtype=np.int64) // 4


def _loss(scores: Floats, labels: Floats, groups: Ints) -> float:
    return float(Ranking("search").losses(Scored(scores[:, None], labels, groups)).values.mean())


@pytest.mark.parametrize("unit", [0.05, 1.0, 20.0])
def test_the_scaled_loss_is_the_same_in_every_unit(unit: float) -> None:
    """Whatever the regressor's unit, the scaled scores lose the same, no more than unscaled ones, in the same order."""
    scores, labels, groups = _rows(unit)
    scaled = Ranking("search").calibrated(Told(), scores, labels, groups)
    found = scaled.predict(scores)
    plain, _, _ = _rows(1.0)
    best = _loss(Ranking("search").calibrated(Told(), plain, labels, groups).predict(plain), labels, groups)
    assert _loss(found, labels, groups) == pytest.approx(best, abs=1e-6)
    assert _loss(found, labels, groups) <= _loss(scores, labels, groups)
    assert (np.argsort(found, kind="stable") == np.argsort(scores, kind="stable")).all()


def test_a_right_order_comes_close_to_perfect() -> None:
    """Scores that order every pair right lose nearly nothing, as skill 1 means; unscaled they lose .31."""
    labels, groups = np.tile([1.0, 0.0], 100), np.repeat(np.arange(100, dtype=np.int64), 2)
    scaled = Ranking("search").calibrated(Told(), labels, labels, groups)
    assert _loss(labels, labels, groups) == pytest.approx(0.313, abs=1e-3)
    assert _loss(scaled.predict(labels), labels, groups) < 1e-6


def test_rows_without_a_pair_leave_the_scale() -> None:
    """Groups whose grades are all equal say nothing about it."""
    scaled = Ranking("search").calibrated(Told(), np.arange(4.0), np.ones(4), np.array([0, 0, 1, 1], np.int64))
    assert (scaled.scale, type(scaled)) == (1.0, ScaledScore)
