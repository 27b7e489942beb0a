"""Proves that two arms can be compared every day within the stated error, by seeded simulation."""

import math
from typing import Any, Final

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallbox.arrays import Floats
from smallbox.statistics.arm_sequences import ArmMoments, difference_sequence
from smallbox.statistics.covariate_adjustment import CovariateFit

RUNS: Final = 300
LOOKS: Final = 40
A_DAY: Final = 200
NUMBERS = st.lists(st.floats(-1e6, 1e6), max_size=12)


@given(st.lists(NUMBERS, max_size=4))
def test_moments_of_parts_are_those_of_the_whole(parts: list[list[float]]) -> None:
    """However the units are cut into days, the moments are the same."""
    found = ArmMoments()
    for part in parts:
        found = found.with_values(np.array(part))
    whole = np.array([value for part in parts for value in part])
    assert found.units == len(whole)
    if len(whole):
        assert found.mean == pytest.approx(whole.mean(), rel=1e-9, abs=1e-6)
        assert found.squares == pytest.approx(((whole - whole.mean()) ** 2).sum(), rel=1e-6, abs=1e-3)


@given(st.integers(0, 20), st.integers(0, 20))
def test_fits_of_parts_are_those_of_the_whole(first: int, second: int) -> None:
    """The slope of two days is that of both together; units without a covariate are left out."""
    random = np.random.default_rng(first * 100 + second)
    x = random.normal(size=first + second + 3)
    y = 2 * x + random.normal(size=len(x))
    x[-1] = np.nan
    parts = CovariateFit().with_units(y[:first], x[:first]).with_units(y[first:], x[first:])
    whole = CovariateFit().with_units(y[:-1], x[:-1])
    assert parts.units == whole.units
    assert parts.slope == pytest.approx(whole.slope)
    assert parts.explained == pytest.approx(whole.explained)


def _ever_excludes(arms: tuple[Floats, Floats], truth: float, *, fixed: bool = False) -> bool:
    """Whether any of the daily looks excludes the truth; each arm has a row of units for each day."""
    first, other = ArmMoments(), ArmMoments()
    for ours, theirs in zip(*arms, strict=True):
        first, other = first.with_values(ours), other.with_values(theirs)
        if fixed:
            error = math.sqrt(first.variance / first.units + other.variance / other.units)
            is_outside = abs(other.mean - first.mean - truth) > 1.96 * error
        else:
            found = difference_sequence(first, other, 0.05, tuned_for=LOOKS * A_DAY)
            is_outside = not found.low <= truth <= found.high
        if is_outside:
            return True
    return False


def _sums_of_clusters(random: np.random.Generator) -> Floats:
    """The sums of units with one to thirty predictions each, which share the level of their unit."""
    sizes = random.integers(1, 30, (LOOKS, A_DAY // 2))
    return sizes * random.normal(1, 1, sizes.shape) + random.normal(0, np.sqrt(sizes))


@pytest.mark.parametrize("kind", ["normal", "5 % convert", "clusters"])
def test_looking_every_day_keeps_the_error(kind: str) -> None:
    """Of 300 experiments with 40 looks at most 5 % ever exclude the truth, within twice the sampling error.

    The ordinary interval, looked at as often, excludes it in more than a fifth of them.
    """
    random, wrong, fixed = np.random.default_rng(1), 0, 0
    arms: Any
    shape = (LOOKS, A_DAY // 2)
    for _ in range(RUNS):
        if kind == "normal":
            arms = random.normal(0, 1, shape), random.normal(0.3, 2, shape)
        elif kind == "clusters":
            arms = _sums_of_clusters(random), _sums_of_clusters(random)
        else:
            arms = (random.random(shape) < 0.05) * 1.0, (random.random(shape) < 0.05) * 1.0
        truth = 0.3 if kind == "normal" else 0.0
        wrong += _ever_excludes(arms, truth)
        fixed += _ever_excludes(arms, truth, fixed=True)
    assert wrong / RUNS <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / RUNS)
    assert fixed / RUNS > 0.2


def test_single_predictions_are_no_units() -> None:
    """Taken for units, the clustered predictions of equal arms are called different in most experiments."""
    random, wrong = np.random.default_rng(2), 0
    for _ in range(40):
        sizes = random.integers(1, 30, (2, LOOKS, A_DAY // 2))
        levels = random.normal(1, 1, sizes.shape)
        arms = [ArmMoments(), ArmMoments()]
        is_wrong = False
        for day in range(LOOKS):
            for arm in (0, 1):
                each = np.repeat(levels[arm, day], sizes[arm, day])
                arms[arm] = arms[arm].with_values(each + random.normal(0, 1, len(each)))
            found = difference_sequence(arms[0], arms[1], 0.05, LOOKS * A_DAY * 15)
            is_wrong |= found.excludes_zero
        wrong += is_wrong
    assert wrong / 40 > 0.5


def test_an_adjustment_narrows_the_bounds_and_moves_nothing() -> None:
    """With a covariate that explains three quarters, the variance falls to a quarter, and the effect stays unbiased."""
    random, effects, kept = np.random.default_rng(3), [], []
    for _ in range(100):
        fit, arms = CovariateFit(), [ArmMoments(), ArmMoments()]
        plain = [ArmMoments(), ArmMoments()]
        for _ in range(20):
            x = random.normal(3, 1, (2, 100))
            y = math.sqrt(3) * x + random.normal(size=x.shape) + np.array([[0.0], [0.5]])
            for arm in (0, 1):
                arms[arm] = arms[arm].with_values(fit.adjusted(y[arm], x[arm]))
                plain[arm] = plain[arm].with_values(y[arm])
            fit = fit.with_units(y.ravel(), x.ravel())
        effects.append(arms[1].mean - arms[0].mean)
        kept.append(arms[1].squares / plain[1].squares)
    assert np.mean(effects) == pytest.approx(0.5, abs=0.015)
    assert 0.2 < np.mean(kept) < 0.4, "the first day is not adjusted"


def test_nothing_is_known_of_no_units() -> None:
    """One unit an arm has no variance: there are no limits."""
    one = ArmMoments().with_values(np.array([2.0]))
    found = difference_sequence(one, one, 0.05, 100)
    assert (found.value, found.low, found.high) == (0.0, -math.inf, math.inf)
    assert math.isnan(difference_sequence(ArmMoments(), one, 0.05, 100).value)


@pytest.mark.parametrize(
    ("first", "other", "error", "tuned_for", "low", "high"),
    [
        ((500, 10.0, 4.0), (480, 10.8, 9.0), 0.05, 1_000, 0.30355668675713665, 1.2964433132428648),
        ((12_000, 0.05, 0.0475), (1_500, 0.06, 0.0564), 0.05, 20_000, -0.009664406735335154, 0.029664406735335144),
        ((150, -3.0, 400.0), (160, 4.0, 100.0), 0.01, 5_000, -1.7734154120571688, 15.773415412057169),
    ],
)
def test_bounds_are_those_of_a_kept_implementation(
    first: tuple[int, float, float],
    other: tuple[int, float, float],
    error: float,
    tuned_for: int,
    low: float,
    high: float,
) -> None:
    """Frozen numbers of gbstats 0.8.0, ``SequentialTwoSidedTTest``, of units, mean and variance of both arms."""
    arms = [ArmMoments(units, mean, variance * (units - 1)) for units, mean, variance in (first, other)]
    found = difference_sequence(arms[0], arms[1], error, tuned_for)
    assert found.low == pytest.approx(low, rel=1e-9)
    assert found.high == pytest.approx(high, rel=1e-9)
