"""Bounds of a share (a binomial proportion), and one-sided tests against a limit."""

import math

from smallbox.arrays import Bools
from smallbox.statistics.confidence import Z_CONFIDENCE
from smallbox.statistics.intervals import NOTHING, Interval


def lower_share(count: int, rows: int) -> float:
    """The lower confidence bound of a share, of which ``count`` in ``rows`` were seen; 0 without rows.

    Wilson's interval (Journal of the American Statistical Association 22, 1927), one-sided at ``CONFIDENCE``.
    It is above 0 as soon as one was seen, so a limit of 0 allows none.

    >>> lower_share(0, 100), round(lower_share(1, 50), 4), round(lower_share(12, 50), 2)
    (0.0, 0.0045, 0.16)
    """
    if not count:
        return 0.0
    share, spread = count / rows, Z_CONFIDENCE * Z_CONFIDENCE / rows
    width = Z_CONFIDENCE * math.sqrt(share * (1 - share) / rows + spread / (4 * rows))
    return (share + spread / 2 - width) / (1 + spread)


def share_interval(is_counted: Bools) -> Interval:
    """The share of rows that count, with its bounds.

    Also where all rows count, or none, the bounds lie apart: 100 hits of 100 rows do not prove a share of 1.

    >>> import numpy as np
    >>> found = share_interval(np.array([True] * 100))
    >>> found.value, round(found.low, 3), found.high
    (1.0, 0.974, 1.0)
    """
    rows, count = len(is_counted), int(is_counted.sum())
    if not rows:
        return NOTHING
    return Interval(count / rows, lower_share(count, rows), 1 - lower_share(rows - count, rows))


def surely_above(count: int, rows: int, limit: float) -> bool:
    """Whether the share is significantly above the limit.

    >>> surely_above(1, 50, 0.01), surely_above(12, 50, 0.01), surely_above(1, 50, 0.0)
    (False, True, True)
    """
    return lower_share(count, rows) > limit


def surely_below(count: int, rows: int, limit: float) -> bool:
    """Whether the share is significantly below the limit.

    >>> surely_below(0, 50, 0.5), surely_below(24, 50, 0.5)
    (True, False)
    """
    return 1 - lower_share(rows - count, rows) < limit
