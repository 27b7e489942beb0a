"""PSI: how far a distribution has moved from its reference, and how far chance alone would move it."""

import math
from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import Any, Final

import numpy as np

_PSEUDO_COUNT: Final = 0.5
_BY_CHANCE: Final = 0.01


def psi(reference: Sequence[int], seen: Sequence[int]) -> float:
    """The population stability index of counts in the same bins; empty bins count half a row.

    ``sum((q - p) * ln(q / p))`` over the shares p and q: Siddiqi, Credit Risk Scorecards (2006).

    >>> psi([50, 50], [50, 50])
    0.0
    """
    p, q = (np.array(counts, float) + _PSEUDO_COUNT for counts in (reference, seen))
    p, q = p / p.sum(), q / q.sum()
    return float(((q - p) * np.log(q / p)).sum())


def psi_by_chance(reference: Sequence[int], seen: Sequence[int]) -> float:
    """The PSI that chance alone exceeds in one of a hundred windows, if rows were independent.

    Between samples of one distribution the index is about ``(1/n + 1/m)`` times a chi-square of one degree less than
    there are bins (Yurdakul and Naranjo, Journal of Risk Model Validation 14, 2020); dependent rows move
    further. The quantile is Wilson and Hilferty's (PNAS 17, 1931).
    """
    degrees = max(len(reference) - 1, 1)
    z = NormalDist().inv_cdf(1 - _BY_CHANCE)
    spread = 2 / (9 * degrees)
    quantile = degrees * (1 - spread + z * math.sqrt(spread)) ** 3
    return quantile * (1 / max(sum(seen), 1) + 1 / max(sum(reference), 1))


def missing_share(column: Mapping[str, Any]) -> float:
    """The share of missing values in a column's profile."""
    rows = sum(column["counts"]) + column["missing"]
    return column["missing"] / rows if rows else 0.0
