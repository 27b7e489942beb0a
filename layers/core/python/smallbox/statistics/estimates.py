"""Estimates with variances: a mean, a two-sample difference, a weighted mean."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from smallbox.arrays import Floats


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value estimated from a sample.

    Attributes:
        value: the estimate; NaN when the sample is too small for one.
        variance: variance of the estimate, not of the sample; NaN when the sample is too small for one.
    """

    value: float
    variance: float

    @property
    def standard_error(self) -> float:
        """The square root of the variance; NaN when the variance is."""
        return math.sqrt(self.variance) if self.variance >= 0 else math.nan


UNKNOWN: Final = Estimate(math.nan, math.nan)
"""The estimate from an empty sample."""


def none_if_nan(value: float) -> float | None:
    """``None`` for NaN, which JSON cannot express.

    >>> none_if_nan(0.5), none_if_nan(math.nan)
    (0.5, None)
    """
    return None if math.isnan(value) else value


def mean_estimate(values: Floats) -> Estimate:
    """The mean of independent values, with the variance ``s**2 / n`` (sample variance, ``n - 1``).

    One value has a mean and no variance (NaN); no values have neither.

    >>> import numpy as np
    >>> mean_estimate(np.array([1.0, 3.0]))
    Estimate(value=2.0, variance=1.0)
    """
    if not len(values):
        return UNKNOWN
    return Estimate(float(values.mean()), float(values.var(ddof=1) / len(values)) if len(values) > 1 else math.nan)


def difference(ours: Estimate, theirs: Estimate) -> Estimate:
    """``ours`` minus ``theirs``, from two independent samples: the variances add up.

    >>> difference(Estimate(0.75, 0.0009), Estimate(0.5, 0.0016)).standard_error
    0.05
    """
    return Estimate(ours.value - theirs.value, ours.variance + theirs.variance)


def weighted_mean(estimates: Sequence[Estimate], weights: Sequence[float]) -> Estimate:
    """The mean of independent estimates with fixed weights; ``UNKNOWN`` without estimates."""
    if not estimates:
        return UNKNOWN
    total = sum(weights)
    value = sum(one.value * weight for one, weight in zip(estimates, weights, strict=True)) / total
    variance = sum(one.variance * weight**2 for one, weight in zip(estimates, weights, strict=True)) / total**2
    return Estimate(value, variance)
