"""Confidence bounds of an estimate: its value, and how low and how high the true value may lie."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from smallbox.arrays import Bools, Floats, Ints, np
from smallbox.documents.metrics import Metric
from smallbox.statistics.confidence import Z_CONFIDENCE
from smallbox.statistics.estimates import Estimate, mean_estimate, none_if_nan

_BISECTIONS: Final = 40


@dataclass(frozen=True, slots=True)
class Interval:
    """A value with a lower and an upper confidence bound, each one-sided at 95 %.

    Attributes:
        value: the estimate; NaN when the sample is too small for one.
        low: the true value lies above this with 95 % confidence; NaN when unknown.
        high: the true value lies below this with 95 % confidence; NaN when unknown.
    """

    value: float
    low: float
    high: float

    def as_json(self) -> Metric:
        """The interval as a document; ``None`` for what is unknown."""
        return {"value": none_if_nan(self.value), "low": none_if_nan(self.low), "high": none_if_nan(self.high)}

    @classmethod
    def from_json(cls, document: Metric) -> "Interval":
        """The inverse of :meth:`as_json`."""
        return cls(
            *(math.nan if one is None else one for one in (document["value"], document["low"], document["high"]))
        )


NOTHING: Final = Interval(math.nan, math.nan, math.nan)
"""The interval from an empty sample."""


def interval(estimate: Estimate, quantile: float = Z_CONFIDENCE) -> Interval:
    """The bounds of an estimate by the normal approximation.

    Args:
        estimate: value and variance.
        quantile: how many standard errors a bound is away; of Student's t distribution for few clusters.
    """
    width = quantile * estimate.standard_error
    return Interval(estimate.value, estimate.value - width, estimate.value + width)


def mean_interval(values: Floats) -> Interval:
    """The mean of independent values with its bounds.

    >>> found = mean_interval(np.array([1.0, 3.0]))
    >>> found.value, round(found.low, 3), round(found.high, 3)
    (2.0, 0.355, 3.645)
    """
    return interval(mean_estimate(values))


def clustered_interval(values: Floats, clusters: Ints) -> Interval:
    """The mean of values that depend on each other within clusters, like rows of one day, with its bounds.

    The variance is that of the clusters' sums (Liang and Zeger, Biometrika 73, 1986), times ``G / (G - 1)`` for ``G``
    clusters, and the bounds are quantiles of Student's t distribution with one degree of freedom less than there are
    effective clusters: ``n**2 / sum(n_g**2)`` (after Carter, Schnepel, Steigerwald, Review of Economics and Statistics
    99, 2017), so that a day with a few rows does not count as a day. With one it cannot be seen how clusters differ:
    values then count as independent.

    >>> values, days = np.array([0.0, 0.0, 2.0, 2.0, 4.0, 4.0]), np.array([1, 1, 2, 2, 3, 3])
    >>> found = clustered_interval(values, days)
    >>> found.value, round(found.high - found.value, 2), round(mean_interval(values).high - 2, 2)
    (2.0, 3.37, 1.2)
    """
    groups, codes, sizes = np.unique(clusters, return_inverse=True, return_counts=True)
    count, effective = len(groups), round(len(values) ** 2 / int((sizes**2).sum()))
    if effective < 2:  # noqa: PLR2004 - one cluster has no variance
        return mean_interval(values)
    mean = float(values.mean())
    sums = np.bincount(codes, weights=values - mean)
    variance = float((sums**2).sum()) / len(values) ** 2 * count / (count - 1)
    return interval(Estimate(mean, variance), student_quantile(effective - 1))


def clustered_gap(values: Floats, is_first: Bools, clusters: Ints) -> Interval:
    """The mean of some values minus that of the others, all dependent within clusters, with its bounds.

    What a cluster does to both cancels. The variance and the degrees of freedom are those of `clustered_interval`, the
    latter from the side with fewer effective clusters. With one cluster values count as independent.

    >>> values, days = np.array([1.0, 3.0, 2.0, 4.0]), np.array([1, 1, 2, 2])
    >>> found = clustered_gap(values, np.array([False, True, False, True]), days)
    >>> found.value, found.low, found.high
    (2.0, 2.0, 2.0)
    """
    sides = [values[is_first], values[~is_first]]
    if not all(len(side) for side in sides):
        return NOTHING
    gap = float(sides[0].mean() - sides[1].mean())
    _, codes = np.unique(clusters, return_inverse=True)
    sizes = [np.bincount(codes[own]) for own in (is_first, ~is_first)]
    effective = min(round(int(one.sum()) ** 2 / int((one**2).sum())) for one in sizes)
    if effective < 2:  # noqa: PLR2004 - one cluster has no variance
        return interval(Estimate(gap, sum(mean_estimate(side).variance for side in sides)))
    influences = np.where(is_first, values - sides[0].mean(), 0.0) / len(sides[0])
    influences -= np.where(is_first, 0.0, values - sides[1].mean()) / len(sides[1])
    sums, count = np.bincount(codes, weights=influences), int(codes.max()) + 1
    return interval(Estimate(gap, float((sums**2).sum()) * count / (count - 1)), student_quantile(effective - 1))


def student_quantile(degrees: int, confidence: float = 0.95) -> float:
    """A quantile of Student's t distribution: how many standard errors a bound is away.

    Found by bisection of the distribution function, a finite sum for whole degrees of freedom (Abramowitz and Stegun,
    Handbook of Mathematical Functions, 26.7.3 and 26.7.4).

    >>> round(student_quantile(1), 3), round(student_quantile(6), 3), round(student_quantile(1000), 3)
    (6.314, 1.943, 1.646)
    """
    return bisect(lambda t: _two_sided(t, degrees) < 2 * confidence - 1, 0.0, 1e4)


def _two_sided(t: float, degrees: int) -> float:
    """The probability that a t variable lies between ``-t`` and ``t``."""
    angle = math.atan(t / math.sqrt(degrees))
    cosine = math.cos(angle)
    is_odd = degrees % 2
    term = cosine if is_odd else 1.0
    total = 0.0 if degrees == 1 else term
    for k in range(3 if is_odd else 2, degrees - 1, 2):
        term *= (k - 1) / k * cosine**2
        total += term
    if is_odd:
        return 2 / math.pi * (angle + math.sin(angle) * total)
    return math.sin(angle) * total


def bisect(is_below: Callable[[float], bool], low: float, high: float) -> float:
    """The point between two numbers up to which a condition holds, by bisection.

    >>> round(bisect(lambda x: x * x < 2, 0, 2), 6)
    1.414214
    """
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if is_below(middle) else (low, middle)
    return (low + high) / 2
