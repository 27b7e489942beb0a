"""The confidence level of decisions, and the sides of a limit on which a true value may lie."""

from statistics import NormalDist
from typing import Final, Literal

Side = Literal["above", "below", "unclear"]

CONFIDENCE: Final = 0.95
"""One-sided confidence level with which a value must lie beyond its limit."""

Z_CONFIDENCE: Final = NormalDist().inv_cdf(CONFIDENCE)
"""``CONFIDENCE`` in standard errors: the quantile of the normal distribution."""
