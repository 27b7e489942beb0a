"""The confidence level of decisions."""

from statistics import NormalDist
from typing import Final

CONFIDENCE: Final = 0.95
"""One-sided confidence level with which a value must lie beyond its limit."""

Z_CONFIDENCE: Final = NormalDist().inv_cdf(CONFIDENCE)
"""``CONFIDENCE`` in standard errors: the quantile of the normal distribution."""
