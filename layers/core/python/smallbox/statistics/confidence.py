"""How sure a decision must be, and on which side of a limit a figure lies."""

from statistics import NormalDist
from typing import Final, Literal

Side = Literal["above", "below", "unclear"]

CONFIDENCE: Final = 0.95
"""The one-sided confidence with which a figure must lie beyond its limit."""

Z_CONFIDENCE: Final = NormalDist().inv_cdf(CONFIDENCE)
"""``CONFIDENCE`` in standard errors: the quantile of the normal distribution."""


def side_of(value: float, standard_error: float, limit: float) -> Side:
    """On which side of a limit the truth lies, with one-sided ``CONFIDENCE`` in the normal approximation.

    >>> side_of(0.8, 0.01, 0.7), side_of(0.69, 0.01, 0.7), side_of(0.6, 0.01, 0.7)
    ('above', 'unclear', 'below')
    """
    if value - Z_CONFIDENCE * standard_error >= limit:
        return "above"
    if value + Z_CONFIDENCE * standard_error < limit:
        return "below"
    return "unclear"
