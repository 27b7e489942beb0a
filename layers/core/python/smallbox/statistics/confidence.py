"""The confidence level of decisions, and the one-sided test of a value against a limit."""

from statistics import NormalDist
from typing import Final, Literal

Side = Literal["above", "below", "unclear"]

CONFIDENCE: Final = 0.95
"""One-sided confidence level with which a value must lie beyond its limit."""

Z_CONFIDENCE: Final = NormalDist().inv_cdf(CONFIDENCE)
"""``CONFIDENCE`` in standard errors: the quantile of the normal distribution."""


def side_of(value: float, standard_error: float, limit: float) -> Side:
    """On which side of a limit the true value lies: one-sided test at ``CONFIDENCE``, normal approximation.

    ``"unclear"`` when neither side is significant.

    >>> side_of(0.8, 0.01, 0.7), side_of(0.69, 0.01, 0.7), side_of(0.6, 0.01, 0.7)
    ('above', 'unclear', 'below')
    """
    if value - Z_CONFIDENCE * standard_error >= limit:
        return "above"
    if value + Z_CONFIDENCE * standard_error < limit:
        return "below"
    return "unclear"
