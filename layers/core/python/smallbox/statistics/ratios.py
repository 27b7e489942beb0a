"""The mean of several ratios over the same rows, like F1 over classes."""

from collections.abc import Sequence

from smallbox.arrays import Floats, np
from smallbox.statistics.estimates import Estimate, mean_estimate
from smallbox.statistics.intervals import NOTHING, Interval, interval


def mean_of_ratios(pairs: Sequence[tuple[Floats, Floats]]) -> Interval:
    """The mean of ratios of sums, each of numerators and denominators by row, with its bounds.

    The delta method: the variance is that of the mean of the linearized ratios, ``(a - r b) / mean(b)``
    (Deng, Knoblich, Lu, KDD 2018).

    >>> half, all_ = np.array([1.0, 1.0]), np.array([2.0, 2.0])
    >>> mean_of_ratios([(half, all_), (all_, all_)])
    Interval(value=0.75, low=0.75, high=0.75)
    """
    if not pairs:
        return NOTHING
    ratios = [float(above.sum() / below.sum()) for above, below in pairs]
    influences = [(above - ratio * below) / below.mean() for ratio, (above, below) in zip(ratios, pairs, strict=True)]
    influence = np.mean(influences, axis=0)
    return interval(Estimate(float(np.mean(ratios)), mean_estimate(influence).variance))
