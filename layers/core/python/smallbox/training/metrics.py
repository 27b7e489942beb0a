"""How good scores are: ranking, calibration, and how sure one can be. Pure numpy, for hundreds of thousands of rows."""

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

BINS: Final = 10
CONFIDENCE: Final = 0.95
"""How sure one must be that a figure is beyond its limit, one-sided."""
SURELY: Final = NormalDist().inv_cdf(CONFIDENCE)
"""How many standard errors that are."""
_CLIP: Final = 1e-15


@dataclass(frozen=True, slots=True)
class Auc:
    """An area under the ROC curve, and how sure it is.

    Attributes:
        value: the share of (positive, negative) pairs that the scores put in order; ties count half. Not a number
            without both classes.
        variance: of the value, after DeLong.
    """

    value: float
    variance: float


def _midranks(values: Floats) -> Floats:
    """Ranks from 1; equal values share the mean of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: Floats = (last - (counts - 1) / 2)[inverse]
    return ranks


def auc(scores: Floats, labels: Bools) -> Auc:
    """The area under the ROC curve with its variance.

    The variance is that of DeLong, DeLong and Clarke-Pearson (Biometrics 44, 1988), computed from midranks as in Sun
    and Xu (IEEE Signal Processing Letters 21, 2014).

    >>> auc(np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True])).value
    0.75
    """
    return _of_placements(*_placements(scores, labels))


def auc_gain(scores: Floats, baseline: Floats, labels: Bools) -> Auc:
    """How much greater the AUC of ``scores`` is than that of ``baseline`` on the same rows, with its variance.

    Both AUCs rest on the same positives and negatives, so they move together, and their difference is surer than
    either: DeLong, DeLong and Clarke-Pearson (Biometrics 44, 1988), as the variance of the placements' differences.

    >>> auc_gain(np.array([0.1, 0.9]), np.array([0.9, 0.1]), np.array([False, True])).value
    1.0
    """
    ours, theirs = _placements(scores, labels), _placements(baseline, labels)
    return _of_placements(ours[0] - theirs[0], ours[1] - theirs[1])


def _placements(scores: Floats, labels: Bools) -> tuple[Floats, Floats]:
    """For each positive the share of negatives below it, for each negative that of positives above; ties count half."""
    positive, negative = scores[labels], scores[~labels]
    m, n = len(positive), len(negative)
    if not m or not n:
        return np.empty(0), np.empty(0)
    ranks = _midranks(np.concatenate((positive, negative)))
    return (ranks[:m] - _midranks(positive)) / n, 1 - (ranks[m:] - _midranks(negative)) / m


def _of_placements(of_positives: Floats, of_negatives: Floats) -> Auc:
    if not len(of_positives):
        return Auc(math.nan, math.nan)
    return Auc(float(of_positives.mean()), _variance_of_mean(of_positives) + _variance_of_mean(of_negatives))


def _variance_of_mean(values: Floats) -> float:
    return float(values.var(ddof=1) / len(values)) if len(values) > 1 else math.nan


def log_loss(scores: Floats, labels: Bools) -> float:
    """The mean negative logarithm of the probability that was given to what happened; lower is better."""
    if not len(scores):
        return math.nan
    given = np.clip(np.where(labels, scores, 1 - scores), _CLIP, 1)
    return float(-np.log(given).mean())


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


def calibration(scores: Floats, labels: Bools, bins: int = BINS) -> Calibration:
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


def measure(scores: Floats, labels: Bools) -> dict[str, Any]:
    """All of it for one set of rows, JSON-ready; what cannot be told from them is ``None``.

    ``rows`` are all of them, ``rarer_rows`` those of the class that has fewer.
    """
    ranking, calibrated = auc(scores, labels), calibration(scores, labels)
    figures = {
        "auc": ranking.value,
        "auc_standard_error": math.sqrt(ranking.variance) if ranking.variance >= 0 else math.nan,
        "log_loss": log_loss(scores, labels),
        "calibration_error": calibrated.error,
        "calibration_error_by_chance": calibrated.by_chance,
        "calibration_standard_error": calibrated.standard_error,
        "mean_score": float(scores.mean()) if len(scores) else math.nan,
        "positive_rate": float(labels.mean()) if len(labels) else math.nan,
    }
    counts = {"rows": len(scores), "rarer_rows": int(min(labels.sum(), (~labels).sum()))}
    return {**counts, **{n: None if math.isnan(v) else v for n, v in figures.items()}}
