"""Confidence sequences: bounds of a mean that hold at every look, however often one looks and whenever one stops."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

from smallbox.arrays import Floats
from smallbox.statistics.estimates import none_if_nan

RATIO_CONCENTRATIONS: Final = (100.0, 1_000.0, 10_000.0)
"""Which differences of a sample ratio are looked for: a small one finds large differences soon, a large one finds small
differences late. The mean of the three Bayes factors is one again."""


_LARGEST_EXPONENT: Final = 700.0


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
    width = sequence_width(deviation / math.sqrt(units), units, error, tuned_for)
    return ConfidenceSequence(units, mean, mean - width, mean + width, error)


def prior_variance(error: float, tuned_for: int) -> float:
    """The prior variance with which the bounds are narrowest at a number of units.

    ``(-2 log a + log(1 - 2 log a)) / n`` for an error ``a``: Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas, Annals of
    Statistics 52, 2024.
    """
    return (-2 * math.log(error) + math.log(1 - 2 * math.log(error))) / tuned_for


def sequence_width(standard_error: float, units: float, error: float, tuned_for: int) -> float:
    """How far a bound is from the mean; infinite where so few units cannot exclude anything.

    Args:
        standard_error: of the mean.
        units: the number of units; a fraction where they differ in size.
        error: as of `mean_sequence`.
        tuned_for: as of `mean_sequence`.
    """
    shrunk = 1 + units * prior_variance(error, tuned_for)
    ratio = (math.sqrt(shrunk) / error) ** (2 / units)
    if ratio >= shrunk:
        return math.inf
    return standard_error * math.sqrt((units - 1) * (ratio - 1) / (1 - ratio / shrunk))


def one_sided_p(value: float, standard_error: float, units: int, error: float, tuned_for: int = 1_000) -> float:
    """The p-value, valid at every look, of "the mean is at most 0", for a mean of many units.

    The one-sided asymptotic confidence sequence ``s sqrt(2 (n g + 1) / (n^2 g) log(1 + sqrt(n g + 1) / (2 a)))``
    (Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas, Annals of Statistics 52, 2024), solved for the error ``a``.

    Args:
        value: the estimate of the mean.
        standard_error: of the estimate.
        units: how many independent units it is of.
        error: the error at which the sequence is narrowest.
        tuned_for: at about how many units it is.
    """
    if value <= 0 or standard_error <= 0:
        return 1.0
    shrunk = 1 + units * prior_variance(2 * error, tuned_for)
    exponent = (value / standard_error) ** 2 * (shrunk - 1) / (2 * shrunk)
    return min(1.0, math.sqrt(shrunk) / (2 * math.expm1(min(exponent, _LARGEST_EXPONENT))))


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

    The inverse of the Bayes factor of Dirichlet priors around the declared shares (Lindon and Malek, NeurIPS 2022,
    arXiv 2011.03567), at most 1. By custom a mismatch is reported below .001.

    Args:
        counts: units by arm.
        shares: declared share by arm; they add up to 1.

    >>> round(sample_ratio_p({"a": 5000, "b": 5010}, {"a": 0.5, "b": 0.5}), 2)
    1.0
    >>> sample_ratio_p({"a": 360, "b": 240}, {"a": 0.5, "b": 0.5}) < 0.001
    True
    """
    factors = [_log_ratio_factor(counts, shares, prior) for prior in RATIO_CONCENTRATIONS]
    largest = max(factors)
    mean = largest + math.log(sum(math.exp(one - largest) for one in factors) / len(factors))
    return math.exp(min(0.0, -mean))


def _log_ratio_factor(counts: Mapping[str, int], shares: Mapping[str, float], prior: float) -> float:
    total = sum(counts.values())
    factor = math.lgamma(prior) - math.lgamma(prior + total)
    for arm, share in shares.items():
        seen, weight = counts.get(arm, 0), prior * share
        factor += math.lgamma(weight + seen) - math.lgamma(weight) - seen * math.log(share)
    return factor
