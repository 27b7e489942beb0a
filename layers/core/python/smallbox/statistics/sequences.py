"""Confidence sequences: bounds of a mean that hold at every look, however often one looks and whenever one stops."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

from smallbox.arrays import Floats
from smallbox.statistics.estimates import none_if_nan

SRM_CONCENTRATION: Final = 10_000.0
"""How far a sample ratio is from the declared one before it counts: the larger, the smaller the difference found."""


@dataclass(frozen=True, slots=True)
class ConfidenceSequence:
    """The bounds of a mean at the present look.

    Attributes:
        units: the number of independent units, like days; not of rows.
        value: their mean; NaN without units.
        low: the true mean lies above this.
        high: the true mean lies below this. Both hold at all looks together, with a probability of at least
            1 - ``error``.
        error: the probability that the true mean ever lies outside.
    """

    units: int
    value: float
    low: float
    high: float
    error: float

    @property
    def excludes_zero(self) -> bool:
        """Whether zero lies outside."""
        return self.low > 0 or self.high < 0

    def as_json(self) -> dict[str, float | int | None]:
        """The sequence as a document; ``None`` for what is unknown."""
        bounds = {name: _known(getattr(self, name)) for name in ("value", "low", "high")}
        return {"units": self.units, **bounds, "error": self.error}


def _known(value: float) -> float | None:
    return none_if_nan(value) if math.isfinite(value) else None


def mean_sequence(values: Floats, error: float = 0.05, tuned_for: int = 30) -> ConfidenceSequence:
    """The confidence sequence of the mean of independent, about normal units, like the means of days.

    The variance is estimated, so the bounds are those of a sequential t-test: a normal prior of variance ``g`` on the
    mean in standard deviations and the right Haar prior on the standard deviation give the Bayes factor

        (1 + n g)^(-1/2) * ((1 + t^2 / (n - 1)) / (1 + t^2 / ((n - 1) (1 + n g))))^(n / 2)

    (Gonen, Johnson, Lu, Westfall, American Statistician 59, 2005), which is a test martingale under the null
    hypothesis (Lai, Annals of Statistics 4, 1976; Perez-Ortiz, Lardy, de Heide, Grunwald, Annals of Statistics 52,
    2024). It exceeds ``1 / error`` with a probability of at most ``error`` (Ville). The bounds are where it does so.

    Args:
        values: one value for each unit.
        error: the probability that the true mean ever lies outside.
        tuned_for: at about how many units the bounds are to be narrowest.

    >>> import numpy as np
    >>> days = np.array([1.0, 2.0, 3.0, 2.0, 1.0, 3.0, 2.0, 2.0, 1.0, 3.0])
    >>> found = mean_sequence(days)
    >>> found.value, round(found.low, 2), round(found.high, 2), found.excludes_zero
    (2.0, 0.78, 3.22, True)
    """
    units = len(values)
    if units < 2:  # noqa: PLR2004 - one unit has no variance
        return ConfidenceSequence(units, float(values.mean()) if units else math.nan, -math.inf, math.inf, error)
    mean, deviation = float(values.mean()), float(values.std(ddof=1))
    width = _standard_errors(units, error, prior_variance(error, tuned_for)) * deviation / math.sqrt(units)
    return ConfidenceSequence(units, mean, mean - width, mean + width, error)


def prior_variance(error: float, tuned_for: int) -> float:
    """The prior variance with which the bounds are narrowest at a number of units.

    ``(-2 log a + log(1 - 2 log a)) / n`` for an error ``a``: Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas, Annals of
    Statistics 52, 2024.
    """
    return (-2 * math.log(error) + math.log(1 - 2 * math.log(error))) / tuned_for


def _standard_errors(units: int, error: float, variance: float) -> float:
    """How many standard errors a bound is away; infinite where so few units cannot exclude anything."""
    shrunk = 1 + units * variance
    ratio = (math.sqrt(shrunk) / error) ** (2 / units)
    if ratio >= shrunk:
        return math.inf
    return math.sqrt((units - 1) * (ratio - 1) / (1 - ratio / shrunk))


@dataclass(frozen=True, slots=True)
class UnitsNeeded:
    """How many units a comparison needs.

    Attributes:
        at_once: looked at once, at the end.
        sequential: looked at whenever one likes.
    """

    at_once: int
    sequential: int


def units_needed(deviation: float, difference: float, error: float = 0.05, power: float = 0.8) -> UnitsNeeded:
    """The number of units until a true difference of means is found, by a test at the end and by a sequence.

    The sequence is taken as tuned to that number. The right to look at any time costs about 1.9 times the units.

    Args:
        deviation: the standard deviation of a unit.
        difference: the true mean.
        error: the two-sided error.
        power: the probability of finding it.

    >>> units_needed(1.0, 0.5)
    UnitsNeeded(at_once=32, sequential=61)
    """
    found = NormalDist().inv_cdf(power)
    at_once = ((NormalDist().inv_cdf(1 - error / 2) + found) * deviation / difference) ** 2
    scale = -2 * math.log(error) + math.log(1 - 2 * math.log(error))
    bound = math.sqrt(2 * (scale + 1) / scale * math.log(math.sqrt(scale + 1) / error))
    return UnitsNeeded(math.ceil(at_once), math.ceil(((bound + found) * deviation / difference) ** 2))


def sample_ratio_p(counts: Mapping[str, int], shares: Mapping[str, float]) -> float:
    """The p-value of arms that were assigned as declared; its smallest value over all looks is a p-value as well.

    The inverse of the Bayes factor of a Dirichlet prior around the declared shares (Lindon and Malek, NeurIPS 2022,
    arXiv 2011.03567), at most 1. By custom a mismatch is reported below .001.

    Args:
        counts: units by arm.
        shares: declared share by arm; they add up to 1.

    >>> round(sample_ratio_p({"a": 5000, "b": 5010}, {"a": 0.5, "b": 0.5}), 2)
    1.0
    >>> sample_ratio_p({"a": 5400, "b": 4600}, {"a": 0.5, "b": 0.5}) < 0.001
    True
    """
    total, prior = sum(counts.values()), SRM_CONCENTRATION
    factor = math.lgamma(prior) - math.lgamma(prior + total)
    for arm, share in shares.items():
        seen, weight = counts.get(arm, 0), prior * share
        factor += math.lgamma(weight + seen) - math.lgamma(weight) - seen * math.log(share)
    return math.exp(min(0.0, -factor))
