"""Proves that adjusting means for a covariate helps where it knows something, and harms nowhere."""

import numpy as np
import pytest

from smallbox.arrays import Floats
from smallbox.statistics.estimates import adjusted_means, difference, mean_estimate


def samples(seed: int, known: float) -> list[tuple[Floats, Floats]]:
    """Two samples of one distribution, whose covariate explains that share of the variance."""
    random = np.random.default_rng(seed)
    found = []
    for size in (400, 100):
        covariates = random.normal(size=size)
        found.append((np.sqrt(known) * covariates + np.sqrt(1 - known) * random.normal(size=size), covariates))
    return found


@pytest.mark.parametrize("known", [0.0, 0.5, 0.9])
def test_equal_samples_differ_significantly_in_5_percent(known: float) -> None:
    """Over 2,000 pairs, at either side, whatever the covariate knows; the slope comes from the same rows."""
    found = [difference(*adjusted_means(samples(seed, known))) for seed in range(2_000)]
    sure = np.array([one.value / one.standard_error for one in found])
    for beyond in (sure > 1.645, sure < -1.645):
        assert 0.03 <= beyond.mean() <= 0.07


def test_the_variance_falls_by_what_the_covariate_explains() -> None:
    """A covariate that explains nine tenths leaves a tenth."""
    adjusted = difference(*adjusted_means(samples(0, 0.9)))
    assert adjusted.variance == pytest.approx(0.1 * (1 / 400 + 1 / 100), rel=0.25)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_a_covariate_that_differs_by_rounding_adjusts_nothing(scale: float) -> None:
    """The baseline of a ranking loses log 2 in each group, give or take the last digit: means stay to their last."""
    random = np.random.default_rng(0)
    pair = [(random.random(size), scale * np.log(2) * (1 + 2e-16 * random.integers(-2, 3, size))) for size in (300, 99)]
    assert adjusted_means(pair) == [mean_estimate(values) for values, _ in pair]
