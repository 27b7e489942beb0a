"""Proves that confidence sequences keep their stated error at all looks together, by seeded simulation."""

import math

import numpy as np
import pytest

from smallbox.arrays import Floats
from smallbox.statistics.sequences import mean_sequence, sample_ratio_p, units_needed

RUNS = 400
LOOKS = 60


def _ever_excludes(days: Floats, mean: float) -> bool:
    """Whether any look from the second day on excludes the true mean."""
    for seen in range(2, len(days) + 1):
        found = mean_sequence(days[:seen])
        if not found.low <= mean <= found.high:
            return True
    return False


@pytest.mark.parametrize("kind", ["normal", "heavy tails", "a shift of 3"])
def test_looking_every_day_keeps_the_error(kind: str) -> None:
    """Of 400 sequences with 60 looks at most 5 % ever exclude the true mean, give or take twice the sampling error."""
    random = np.random.default_rng(1)
    draws = random.standard_t(5, (RUNS, LOOKS)) if kind == "heavy tails" else random.normal(size=(RUNS, LOOKS))
    mean = 3.0 if kind == "a shift of 3" else 0.0
    share = np.mean([_ever_excludes(days + mean, mean) for days in draws])
    assert share <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / RUNS)


def test_the_ordinary_interval_would_not() -> None:
    """The same looks with an interval of fixed size exclude the true mean in more than a fifth of the runs."""
    random = np.random.default_rng(1)
    draws = random.normal(size=(RUNS, LOOKS))
    counts = np.arange(1, LOOKS + 1)
    means = draws.cumsum(axis=1) / counts
    beyond = np.abs(means[:, 4:]) * np.sqrt(counts[4:]) > 1.96
    assert beyond.any(axis=1).mean() > 0.2


def test_a_true_difference_is_found_as_soon_as_was_planned() -> None:
    """With the planned number of units the sequence excludes zero in about 80 % of the runs."""
    random, planned = np.random.default_rng(2), units_needed(1.0, 0.6)
    found = [
        mean_sequence(random.normal(0.6, 1.0, planned.sequential), tuned_for=planned.sequential).excludes_zero
        for _ in range(RUNS)
    ]
    assert 0.72 <= np.mean(found) <= 0.9
    assert 1.7 < planned.sequential / planned.at_once < 2.1


def test_few_units_exclude_nothing() -> None:
    """One day has no variance, and two days cannot exclude anything; there is a mean all the same."""
    assert mean_sequence(np.empty(0)).as_json() == {"units": 0, "value": None, "low": None, "high": None, "error": 0.05}
    assert mean_sequence(np.array([4.0])).as_json()["value"] == 4.0
    two = mean_sequence(np.array([4.0, 4.1]))
    assert (two.low, two.high) == (-math.inf, math.inf)


def test_a_ratio_that_is_right_is_hardly_ever_called_wrong() -> None:
    """Of 400 fair assignments of 20,000 units, looked at 100 times each, none falls below .001; a 51:49 split does."""
    random, shares = np.random.default_rng(3), {"a": 0.5, "b": 0.5}
    smallest = []
    for _ in range(RUNS):
        ones = random.binomial(200, 0.5, 100).cumsum().tolist()
        looks = [{"a": a, "b": 200 * (n + 1) - a} for n, a in enumerate(ones)]
        smallest.append(min(sample_ratio_p(look, shares) for look in looks))
    assert np.mean(np.array(smallest) < 0.05) <= 0.05
    assert min(smallest) > 0.001
    assert sample_ratio_p({"a": 102_000, "b": 98_000}, shares) < 0.001
