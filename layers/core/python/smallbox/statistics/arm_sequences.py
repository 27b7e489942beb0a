"""Two arms of an experiment, compared at every look: sums of units, and the confidence sequence of their difference."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from smallbox.arrays import Floats
from smallbox.statistics.sequences import ConfidenceSequence, prior_variance


@dataclass(frozen=True, slots=True)
class ArmMoments:
    """What is kept of the values of one arm's units; parts add up by :meth:`with_values`, in any order.

    Attributes:
        units: the number of independent units, like customers; not of predictions.
        mean: their mean; 0 without units.
        squares: the sum of squared deviations from it.
    """

    units: int = 0
    mean: float = 0.0
    squares: float = 0.0

    def with_values(self, values: Floats) -> "ArmMoments":
        """With the values of further units; the update is that of Chan, Golub and LeVeque (1979), which is stable.

        >>> import numpy as np
        >>> ArmMoments().with_values(np.array([1.0, 3.0])).with_values(np.array([5.0]))
        ArmMoments(units=3, mean=3.0, squares=8.0)
        """
        if not len(values):
            return self
        units, mean = self.units + len(values), float(values.mean())
        apart = mean - self.mean
        squares = self.squares + float(((values - mean) ** 2).sum()) + apart**2 * self.units * len(values) / units
        return ArmMoments(units, self.mean + apart * len(values) / units, squares)

    @property
    def variance(self) -> float:
        """The sample variance of a unit; NaN with fewer than two units."""
        return self.squares / (self.units - 1) if self.units > 1 else math.nan

    def as_json(self) -> dict[str, float | int]:
        """The moments as a document."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, float | int]) -> "ArmMoments":
        """The inverse of :meth:`as_json`."""
        return cls(int(document["units"]), float(document["mean"]), float(document["squares"]))


def with_common_variance(first: ArmMoments, other: ArmMoments) -> tuple[ArmMoments, ArmMoments]:
    """Both arms, each with at least the variance of both together.

    Of a skewed outcome, a small arm that has not met its large values yet has a mean and a variance that are both too
    small. Its bounds would be too narrow just where its mean is wrong: simulated with a tenth of the units and a heavy
    tail, they miss the truth twice as often as stated.

    >>> import numpy as np
    >>> few, many = (ArmMoments().with_values(np.array(values)) for values in ([0.0, 0.0], [0.0, 0.0, 0.0, 6.0]))
    >>> [round(one.variance, 2) for one in with_common_variance(few, many)]
    [6.75, 9.0]
    """
    freedom = first.units + other.units - 2
    if freedom < 1:
        return first, other
    common = (first.squares + other.squares) / freedom
    ours, theirs = (
        ArmMoments(one.units, one.mean, max(one.squares, common * max(one.units - 1, 0))) for one in (first, other)
    )
    return ours, theirs


def difference_sequence(
    first: ArmMoments, other: ArmMoments, error: float, tuned_for: int, factor: float = 1.0
) -> ConfidenceSequence:
    """The confidence sequence of ``mean of other - factor * mean of first``, over independent units of both arms.

    The asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas (Annals of Statistics 52, 2024,
    arXiv 2103.06476), with ``n`` the units of both arms and ``s^2 = n (s1^2 / n1 + factor^2 s0^2 / n0)``:

        difference -+ s sqrt(2 (n r + 1) / (n^2 r) log(sqrt(n r + 1) / error))

    where ``r`` is :func:`~smallbox.statistics.sequences.prior_variance`. The difference lies within the bounds at all
    looks together with a probability that tends to at least 1 - ``error`` as the first look comes later; it rests on
    the means being about normal, so a first look at a handful of events is no look.

    Args:
        first: the units of the arm that is compared with.
        other: the units of the other arm.
        error: the two-sided error.
        tuned_for: at about how many units of both arms the bounds are to be narrowest.
        factor: what the first arm's mean counts; with 1.02 the question is whether ``other`` is higher by 2 %.

    >>> first, other = ArmMoments(500, 10.0, 2000.0), ArmMoments(500, 10.8, 2000.0)
    >>> found = difference_sequence(first, other, 0.05, tuned_for=1000)
    >>> round(found.value, 2), round(found.low, 3), round(found.high, 3)
    (0.8, 0.416, 1.184)
    """
    value, units = other.mean - factor * first.mean, first.units + other.units
    variance = other.variance / max(other.units, 1) + factor**2 * first.variance / max(first.units, 1)
    if math.isnan(variance):
        return ConfidenceSequence(units, value if first.units and other.units else math.nan, -math.inf, math.inf, error)
    prior = units * prior_variance(error, tuned_for)
    width = math.sqrt(2 * variance * (prior + 1) / prior * math.log(math.sqrt(prior + 1) / error))
    return ConfidenceSequence(units, value, value - width, value + width, error)
