"""Calibration: how far scores are from observed frequencies."""

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

from smallbox.arrays import Bools, Floats, np
from smallbox.statistics.confidence import Z_CONFIDENCE
from smallbox.statistics.intervals import NOTHING, Interval, bisect

CALIBRATION_BINS: Final = 10

_NORMAL: Final = NormalDist()


@dataclass(frozen=True, slots=True)
class Calibration:
    """Expected calibration error (ECE) of a set of rows, and the ECE that chance alone would give.

    Attributes:
        error: the ECE, 0 to 1; NaN without rows.
        by_chance: the ECE to expect of perfectly calibrated scores on as many rows. It is never 0, and falls with
            the square root of the rows.
        standard_error: standard error of ``error``, or a little more.
    """

    error: float
    by_chance: float
    standard_error: float

    @property
    def interval(self) -> Interval:
        """The error with bounds of the true error, each one-sided at 95 %.

        The measured error is never 0 on finite rows. On average it is at most the true error plus the error by chance:
        this gives the lower bound. It is smallest when the true error is spread evenly over the bins: this gives the
        upper bound, which is never taken below the measured error.
        """
        if math.isnan(self.error):
            return NOTHING
        doubt = Z_CONFIDENCE * self.standard_error
        low = max(self.error - self.by_chance - doubt, 0.0)
        high = true_error(self.error + doubt, self.by_chance)
        return Interval(self.error, low, max(high, self.error))


def calibration(scores: Floats, labels: Bools, bins: int = CALIBRATION_BINS) -> Calibration:
    """The expected calibration error: the mean distance of scores from observed frequencies.

    Rows are sorted by score into ``bins`` of equal size (adaptive bins: Nixon et al., CVPR Workshops 2019). Each bin
    compares its mean score with its share of positives, weighted by its rows. Equal scores share a bin, so the order
    of the rows does not matter.

    In a bin of ``n`` rows with share ``p`` the gap varies by ``s = sqrt(n p (1 - p))``, so that perfect scores show
    ``s sqrt(2 / pi)`` on average (the mean of a folded normal). ``p`` is (positives + 2) / (n + 4), after
    Agresti and Coull (American Statistician 52, 1998): a bin without positives still has a variance.

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


def expected_error(true: float, by_chance: float) -> float:
    """The calibration error to expect when the true one, ``true``, is spread evenly over the bins.

    Each bin's gap then follows a folded normal distribution (Leone, Nelson, Nottingham, Technometrics 3, 1961), whose
    standard deviation follows from the error by chance.

    >>> expected_error(0.1, by_chance=0.0), round(expected_error(0.0, by_chance=0.02), 3)
    (0.1, 0.02)
    """
    if not by_chance:  # all scores are 0 or 1: chance adds nothing
        return true
    together = by_chance * math.sqrt(math.pi / 2)
    shift = true / together
    folded = math.sqrt(2 / math.pi) * math.exp(-(shift**2) / 2) + shift * (2 * _NORMAL.cdf(shift) - 1)
    return together * folded


def true_error(value: float, by_chance: float) -> float:
    """The true error for which ``value`` is to be expected, spread evenly over the bins; 0 when chance explains it."""
    return bisect(lambda true: expected_error(true, by_chance) <= value, 0.0, value)
