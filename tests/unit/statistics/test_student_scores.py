"""Proves normal scores: Student's tail is that of scipy, and heavy tails are learnt from residuals."""

import numpy as np
import pytest
from scipy.stats import norm  # type: ignore[import-untyped]
from scipy.stats import t as student

from smallbox.statistics.student_scores import SCORE_LIMIT, StudentTails, normal_scores, student_tail


@pytest.mark.parametrize("degrees", [2.5, 5.0, 25.0, 200.0])
def test_a_tail_is_that_of_scipy(degrees: float) -> None:
    """The logarithm of the probability beyond a point, from the middle to far out."""
    points = np.array([0.0, 0.3, 1.0, 2.5, 6.0, 20.0])
    np.testing.assert_allclose(student_tail(points, degrees), student.logsf(points, degrees), rtol=1e-4, atol=1e-4)


def test_before_any_residual_scores_are_nearly_normal_ones() -> None:
    """With many days a score is the residual itself; with few it is that of Student's t with as few degrees."""
    tails, points = StudentTails(6, 60.0), np.array([-5.0, -1.0, 0.0, 0.5, 2.0, 100.0])
    many = normal_scores(points, tails.shapes(np.full(6, 1e6)))
    np.testing.assert_allclose(many, np.clip(points, -SCORE_LIMIT, SCORE_LIMIT), atol=0.03)
    few = normal_scores(points, tails.shapes(np.full(6, 5.2)))
    assert few[4] == pytest.approx(norm.ppf(student.cdf(2.0, 5)), abs=0.01)


def test_heavy_tails_are_learnt() -> None:
    """After 200 days of t with 3 degrees a residual of 4 scores below 3; of normal days above 3.4."""
    rng = np.random.default_rng(5)
    scores = []
    for days in (rng.standard_t(3, (200, 20)), rng.standard_normal((200, 20))):
        tails = StudentTails(20, 60.0)
        for residuals in days:
            tails.learn(residuals)
        tails.refit()
        scores.append(normal_scores(np.full(20, 4.0), tails.shapes(np.full(20, 1e6))))
    assert scores[0].max() < 3.0
    assert scores[1].min() > 3.4
