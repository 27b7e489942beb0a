"""Whether a figure of recent days differs from that of the reference's days: the unit is a day, never a row."""

import math
from dataclasses import dataclass

from smallbox.arrays import Floats, Ints, np
from smallbox.statistics.estimates import Estimate
from smallbox.statistics.intervals import NOTHING, Interval, interval, student_quantile


@dataclass(frozen=True, slots=True)
class DayChange:
    """The mean of recent days against that of the reference's days.

    Attributes:
        before: the mean of the reference's days.
        after: the mean of the recent days.
        change: the difference with its bounds, each one-sided at 95 %.
        is_certain: whether the difference is beyond chance, two-sided at the level that was asked for.
    """

    before: float
    after: float
    change: Interval
    is_certain: bool


def day_change(before: Floats, after: Floats, error: float) -> DayChange:
    """Compare days; nothing is certain with fewer than two days of reference, or without a recent one.

    How much days differ is taken from the reference alone: one recent day can then be judged too, and recent days
    that differ much from each other hide nothing.

    Args:
        before: ``(d,)`` the figure of each of the reference's days.
        after: ``(e,)`` that of each recent day.
        error: the accepted probability of a certain change where there is none, for independent days.

    >>> day_change(np.array([1.0, 2.0, 3.0]), np.array([2.0]), 0.05).is_certain
    False
    """
    if len(before) < 2 or not len(after):  # noqa: PLR2004 - one day has no variance
        return DayChange(math.nan, math.nan, NOTHING, is_certain=False)
    deviation = math.sqrt(float(before.var(ddof=1)) * (1 / len(before) + 1 / len(after)))
    difference = float(after.mean() - before.mean())
    estimate = Estimate(difference, deviation**2)
    limit = student_quantile(len(before) - 1, 1 - error / 2) * deviation
    bounds = interval(estimate, student_quantile(len(before) - 1))
    return DayChange(float(before.mean()), float(after.mean()), bounds, abs(difference) > max(limit, 1e-12))


def day_means(values: Floats, days: Ints) -> Floats:
    """The mean of each day's values, in the order of the days; days without a known value are left out."""
    known = ~np.isnan(values)
    codes = np.unique(days[known], return_inverse=True)[1]
    return np.asarray(np.bincount(codes, weights=values[known]) / np.bincount(codes))
