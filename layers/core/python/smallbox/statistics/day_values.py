"""Numbers of a day with the variance that chance alone gives them: shares and means."""

import math
from typing import Final

from smallbox.arrays import Floats
from smallbox.statistics.day_streams import DayValue

NO_VALUE: Final = DayValue(math.nan, math.nan)
"""The number of a day without rows."""


def share_value(count: float, rows: float) -> DayValue:
    """A share as its arcsine square root, whose variance is about ``1 / (4 n)`` whatever the share.

    Anscombe, Biometrika 35, 1948.

    >>> share_value(50, 100)
    DayValue(value=0.7853981633974484, variance=0.0025)
    """
    if not rows:
        return NO_VALUE
    return DayValue(math.asin(math.sqrt(min(count / rows, 1.0))), 1 / (4 * rows))


def mean_value(values: Floats) -> DayValue:
    """The mean of rows.

    >>> import numpy as np
    >>> mean_value(np.array([1.0, 3.0]))
    DayValue(value=2.0, variance=0.5)
    """
    if not len(values):
        return NO_VALUE
    return DayValue(float(values.mean()), float(values.var()) / len(values))


def counted_mean(counts: Floats, scores: Floats) -> DayValue:
    """The mean of scores that occur so often.

    >>> import numpy as np
    >>> counted_mean(np.array([1.0, 1.0]), np.array([1.0, 3.0]))
    DayValue(value=2.0, variance=0.5)
    """
    rows = float(counts.sum())
    if not rows:
        return NO_VALUE
    mean = float(counts @ scores) / rows
    return DayValue(mean, float(counts @ (scores - mean) ** 2) / rows / rows)
