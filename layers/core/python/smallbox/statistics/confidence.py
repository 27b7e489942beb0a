"""How sure a decision must be."""

from statistics import NormalDist
from typing import Final

CONFIDENCE: Final = 0.95
"""How sure one must be that a figure is beyond its limit, one-sided."""


SURELY: Final = NormalDist().inv_cdf(CONFIDENCE)
"""How many standard errors that are."""
