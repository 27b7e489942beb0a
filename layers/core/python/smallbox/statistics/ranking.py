"""How good scores are: ranking, calibration, and how sure one can be. Pure numpy, for hundreds of thousands of rows."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from smallbox.arrays import Bools, Floats

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
