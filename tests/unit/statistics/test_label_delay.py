"""Proves by seeded simulation that recent figures are corrected for labels still to come, or refused."""

from collections.abc import Sequence

import numpy as np
import pytest

from smallbox.arrays import Floats, Ints
from smallbox.statistics.label_delay import (
    MaturityCurve,
    corrected_mean,
    corrected_share,
    delay_counts,
    delays_differ,
)

RATE, SPEEDS_ALIKE, POSITIVES_FIRST = 0.3, (3.0, 3.0), (1.5, 6.0)
"""The share of positives, and the parameter of the delays (Beta(1, speed) of the window) of negatives and positives."""


def day(random: np.random.Generator, rows: int, speeds: tuple[float, float], between: float) -> tuple[Ints, Floats]:
    """Labels and delays of a day; ``between``: how much days differ in speed, as a standard deviation of logarithms."""
    labels = (random.random(rows) < RATE).astype(np.int64)
    speed = np.array(speeds) * np.exp(random.normal(0, between))
    return labels, random.beta(1, speed[labels])


def history(
    random: np.random.Generator, days: int, rows: int, speeds: tuple[float, float], between: float
) -> tuple[MaturityCurve, MaturityCurve]:
    """The curves of negatives and positives over settled days."""
    seen = [day(random, rows, speeds, between) for _ in range(days)]
    one, other = (MaturityCurve(np.array([delay_counts(d[y == c]) for y, d in seen])) for c in (0, 1))
    return one, other


def recent(
    random: np.random.Generator, rows: int, speeds: tuple[float, float], between: float, days: int = 3
) -> tuple[Ints, Floats]:
    """Labels and ages of the predictions of the last days whose label is known by now."""
    ages = (np.arange(days)[:, None] + random.random((days, rows))).ravel() / days
    seen = [day(random, rows, speeds, between) for _ in range(days)]
    labels, delays = (np.concatenate(parts) for parts in zip(*seen, strict=True))
    known = delays <= ages
    return labels[known], ages[known]


def pooled(curves: Sequence[MaturityCurve]) -> MaturityCurve:
    """The curve of both classes together."""
    return MaturityCurve(np.sum([curve.days for curve in curves], axis=0))


def errors(
    speeds: tuple[float, float], *, by_class: bool, between: float = 0.0, runs: int = 150
) -> tuple[float, float]:
    """The bias of the corrected rate, and how often it lies within two standard errors of the truth."""
    random, found = np.random.default_rng(7), []
    for _ in range(runs):
        curves = history(random, 21, 300, speeds, between)
        labels, ages = recent(random, 300, speeds, between)
        classes, own = (labels, list(curves)) if by_class else (np.zeros_like(labels), [pooled(curves)])
        got = corrected_mean(labels.astype(float), ages, classes, own, 3).estimate
        assert got is not None
        found.append((got.value - RATE, abs(got.value - RATE) <= 2 * got.standard_error))
    bias, inside = np.mean(found, axis=0)
    return float(bias), float(inside)


@pytest.mark.parametrize("between", [0.0, 0.3], ids=["days alike", "days differ"])
def test_with_equal_delays_one_curve_is_unbiased(between: float) -> None:
    """The bias is below half a point, and two standard errors hold the truth at least nine times in ten."""
    bias, inside = errors(SPEEDS_ALIKE, by_class=False, between=between)
    assert abs(bias) < 0.005
    assert inside > 0.9


def test_when_positives_mature_earlier_only_curves_by_class_are_right() -> None:
    """One curve for all overstates the rate by points; a curve for each class does not, with days that differ too."""
    biased, _ = errors(POSITIVES_FIRST, by_class=False)
    bias, inside = errors(POSITIVES_FIRST, by_class=True, between=0.2)
    assert biased > 0.03
    assert abs(bias) < 0.01
    assert inside > 0.9


def test_the_difference_of_classes_is_found_and_not_invented() -> None:
    """At 1 %: with equal delays, and days that differ, at most 4 of 100 are called different; unequal ones always."""
    random = np.random.default_rng(3)
    alike = [delays_differ(*history(random, 21, 200, SPEEDS_ALIKE, 0.4)) for _ in range(100)]
    apart = [delays_differ(*history(random, 21, 200, POSITIVES_FIRST, 0.4)) for _ in range(20)]
    assert sum(one is True for one in alike) <= 4
    assert all(apart)
    assert delays_differ(*history(random, 6, 200, POSITIVES_FIRST, 0.0)) is None, "six days cannot tell"


def test_where_silence_means_no_the_share_is_of_all_that_were_asked() -> None:
    """Reports known so far, raised by the curve, over all predictions: within 2.5 standard errors 9 times in 10."""
    random, inside = np.random.default_rng(5), []
    for _ in range(100):
        _, curve = history(random, 21, 300, SPEEDS_ALIKE, 0.2)
        labels, known = recent(random, 300, SPEEDS_ALIKE, 0.2)
        asked = (np.arange(3)[:, None] + random.random((3, 300))).ravel() / 3
        got = corrected_share(known[labels == 1], asked, curve, 3).estimate
        assert got is not None
        inside.append(abs(got.value - RATE) <= 2.5 * got.standard_error)
    assert np.mean(inside) >= 0.9


def test_a_mean_that_the_curve_does_not_carry_is_refused() -> None:
    """Too few days of history, no label old enough, and an effective sample of a handful, each with its reason."""
    random = np.random.default_rng(1)
    curve = pooled(history(random, 21, 300, SPEEDS_ALIKE, 0.0))
    few = MaturityCurve(curve.days[:6])
    ones, zeros = np.ones(100), np.zeros(100, np.int64)
    assert "6 settled days of 7" in corrected_mean(ones, ones, zeros, [few], 1).why
    assert "effective sample size is 0" in corrected_mean(ones, ones * 0.001, zeros, [curve], 1).why
    assert "effective sample size is 9" in corrected_mean(ones[:9], ones[:9], zeros[:9], [curve], 1).why
    assert corrected_mean(ones, ones, zeros, [curve], 1).estimate is not None
