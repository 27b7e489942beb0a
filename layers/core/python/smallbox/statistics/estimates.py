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


def adjusted_means(samples: Sequence[tuple[Floats, Floats]]) -> list[Estimate]:
    """The mean of each sample, adjusted to what it would be with the same mean of a covariate.

    CUPED (Deng, Xu, Kohavi, Walker, WSDM 2013): with ``slope`` the regression of values on covariates within the
    samples, a mean is that of ``value - slope * covariate``, plus ``slope`` times the mean covariate of all. The
    expected difference of two samples stays as long as the covariate has the same distribution in both; its variance
    falls by the square of their correlation.

    Args:
        samples: for each sample the values and the covariates, row by row.

    >>> import numpy as np
    >>> first, second = (np.array([1.0, 3.0]), np.array([0.0, 2.0])), (np.array([5.0]), np.array([4.0]))
    >>> ours, theirs = adjusted_means([first, second])
    >>> ours.value - theirs.value, ours.variance
    (0.0, 0.0)
    """
    slope = _slope(samples)
    together = sum(float(covariates.sum()) for _, covariates in samples) / max(sum(len(v) for v, _ in samples), 1)
    estimates = [mean_estimate(values - slope * covariates) for values, covariates in samples]
    return [Estimate(one.value + slope * together, one.variance) for one in estimates]


def _slope(samples: Sequence[tuple[Floats, Floats]]) -> float:
    """The regression of values on covariates within the samples; 0 for constant covariates."""
    centred = [
        (values - values.mean(), covariates - covariates.mean()) for values, covariates in samples if len(values)
    ]
    varied = sum(float(covariates @ covariates) for _, covariates in centred)
    return sum(float(values @ covariates) for values, covariates in centred) / varied if varied else 0.0


def weighted_mean(estimates: Sequence[Estimate], weights: Sequence[float]) -> Estimate:
    """The mean of independent estimates with fixed weights; ``UNKNOWN`` without estimates."""
    if not estimates:
        return UNKNOWN
    total = sum(weights)
    value = sum(one.value * weight for one, weight in zip(estimates, weights, strict=True)) / total
    variance = sum(one.variance * weight**2 for one, weight in zip(estimates, weights, strict=True)) / total**2
    return Estimate(value, variance)
