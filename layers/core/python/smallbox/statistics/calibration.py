"""How far scores are from the shares that came true."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from smallbox.arrays import Bools, Floats

CALIBRATION_BINS: Final = 10


@dataclass(frozen=True, slots=True)
class Calibration:
    """How far scores are from the shares that came true, and how far chance alone would put them.

    Attributes:
        error: expected calibration error, from 0 to 1.
        by_chance: the error to expect of perfectly calibrated scores on so few rows. It is never 0, and falls with the
            square root of the rows.
        standard_error: of ``error``, or a little more.
    """

    error: float
    by_chance: float
    standard_error: float


def calibration(scores: Floats, labels: Bools, bins: int = CALIBRATION_BINS) -> Calibration:
    """The expected calibration error: how far, on average, a score is from the share that came true.

    Rows are put into ``bins`` of equal size by score (adaptive bins: Nixon et al., CVPR Workshops 2019); in each the
    mean score is held against the share of positives, weighted by the bin's rows. Equal scores share a bin, so the
    order of the rows does not matter.

    In a bin of ``n`` rows with share ``p`` the gap varies by ``s = sqrt(n p (1 - p))``, so that perfect scores show
    ``s sqrt(2 / pi)`` on average (the mean of a folded normal). ``p`` is (positives + 2) / (n + 4), after
    Agresti and Coull (American Statistician 52, 1998): a bin without a positive is not taken for sure.

    >>> round(calibration(np.array([0.2] * 10), np.array([True] * 2 + [False] * 8)).error, 12)
    0.0
    """
    if not len(scores):
        return Calibration(math.nan, math.nan, math.nan)
    edges = np.quantile(scores, np.arange(1, bins) / bins)
    placed = np.searchsorted(edges, scores, side="left")
    gaps = np.bincount(placed, weights=scores - labels)
    rows, positives = np.bincount(placed), np.bincount(placed, weights=labels)
    share = (positives + 2) / (rows + 4)
    variances = rows * share * (1 - share)
    size = len(scores)
    by_chance = math.sqrt(2 / math.pi) * float(np.sqrt(variances).sum()) / size
    return Calibration(float(np.abs(gaps).sum() / size), by_chance, math.sqrt(float(variances.sum())) / size)
