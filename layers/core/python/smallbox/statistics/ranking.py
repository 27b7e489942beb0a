"""How well scores rank rows: the area under the ROC curve (AUC), and the NDCG of groups.

Pure numpy, fast enough for hundreds of thousands of rows.
"""

import math
from collections.abc import Callable

from smallbox.arrays import Bools, Floats, Ints, np
from smallbox.statistics.confidence import Z_CONFIDENCE
from smallbox.statistics.estimates import UNKNOWN, Estimate, mean_estimate
from smallbox.statistics.intervals import NOTHING, Interval, bisect


def _midranks(values: Floats) -> Floats:
    """Ranks from 1; tied values share the mean of their ranks."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: Floats = (last - (counts - 1) / 2)[inverse]
    return ranks


def auc(scores: Floats, labels: Bools) -> Estimate:
    """The area under the ROC curve: the share of (positive, negative) pairs in the right order; ties count half.

    ``UNKNOWN`` unless both classes occur. The variance is that of DeLong, DeLong and Clarke-Pearson (Biometrics 44,
    1988), computed from midranks as in Sun and Xu (IEEE Signal Processing Letters 21, 2014).

    >>> auc(np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True])).value
    0.75
    """
    return _auc_of(*_placements(scores, labels))


def auc_interval(scores: Floats, labels: Bools) -> Interval:
    """The AUC with its bounds: each the true AUC from which the measured one is just as far as chance allows.

    The standard error is taken at the bound, by Hanley and McNeil (Radiology 143, 1982), in the symmetric form of
    Newcombe (Statistics in Medicine 25, 2006, 559-573), whose method 5 does so too. DeLong's own estimate is too small
    when few rows happen to be ranked well; a test would then err up to four times as often as stated.

    >>> found = auc_interval(np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True]))
    >>> found.value, round(found.low, 2), round(found.high, 2)
    (0.75, 0.28, 0.96)
    """
    value = auc(scores, labels).value
    if math.isnan(value):
        return NOTHING
    positive = int(labels.sum())
    negative = len(labels) - positive
    low = bisect(lambda true: true + Z_CONFIDENCE * _error_at(true, positive, negative) <= value, 0.0, value)
    high = bisect(lambda true: true - Z_CONFIDENCE * _error_at(true, positive, negative) <= value, value, 1.0)
    return Interval(value, low, high)


def _error_at(true: float, rows: int, others: int) -> float:
    """The standard error of an AUC whose true value is ``true``, with so many rows of one class and of the other."""
    mean = (rows + others) / 2 - 1
    spread = 1 + mean * ((1 - true) / (2 - true) + true / (1 + true))
    return math.sqrt(true * (1 - true) * spread / (rows * others))


def _placements(scores: Floats, labels: Bools) -> tuple[Floats, Floats]:
    """For each positive the share of negatives below it; for each negative that of positives above; ties count half."""
    positive, negative = scores[labels], scores[~labels]
    m, n = len(positive), len(negative)
    if not m or not n:
        return np.empty(0), np.empty(0)
    ranks = _midranks(np.concatenate((positive, negative)))
    return (ranks[:m] - _midranks(positive)) / n, 1 - (ranks[m:] - _midranks(negative)) / m


def _auc_of(of_positives: Floats, of_negatives: Floats) -> Estimate:
    """The AUC is the mean of either kind of placements; its variance is the sum of both means' variances."""
    if not len(of_positives):
        return UNKNOWN
    positive, negative = mean_estimate(of_positives), mean_estimate(of_negatives)
    return Estimate(positive.value, positive.variance + negative.variance)


def means_over_pairs(
    scores: Floats, gains: Floats, groups: Ints, of_ahead: Callable[[Floats], Floats]
) -> tuple[Floats, Ints]:
    """For each group the mean over its pairs with different gains of a function of the pair.

    Pairs are taken by their distance within the group, so memory grows with the rows; time grows with the pairs.

    Args:
        scores: ``(n,)``.
        gains: ``(n,)`` how good each row is.
        groups: ``(n,)`` the number of each row's group.
        of_ahead: of the score of a pair's better row minus that of its worse one.

    Returns:
        By group with such pairs the mean, and the position of the group's first row.

    >>> scores, gains, groups = np.array([0.9, 0.1, 0.5]), np.array([1.0, 0.0, 2.0]), np.array([7, 7, 7])
    >>> means_over_pairs(scores, gains, groups, lambda ahead: ahead > 0)
    (array([0.66666667]), array([0]))
    """
    order = np.argsort(groups, kind="stable")
    score, gain = scores[order], gains[order]
    _, firsts, codes = np.unique(groups[order], return_index=True, return_inverse=True)
    totals, counts = np.zeros(len(firsts)), np.zeros(len(firsts))
    left, distance = np.arange(len(order)), 1
    while len(left := _with_partner(codes, left, distance)):
        better = gain[left] - gain[left + distance]
        own = left[better != 0]
        ahead = np.sign(better[better != 0]) * (score[own] - score[own + distance])
        np.add.at(totals, codes[own], of_ahead(ahead))
        np.add.at(counts, codes[own], 1)
        distance += 1
    known = counts > 0
    return totals[known] / counts[known], order[firsts[known]]


def _with_partner(codes: Ints, rows: Ints, distance: int) -> Ints:
    """The rows whose group has another row so far behind; a row without one has none further behind either."""
    inside = rows[rows + distance < len(codes)]
    found: Ints = inside[codes[inside] == codes[inside + distance]]
    return found


def ndcg(scores: Floats, gains: Floats, groups: Ints, at: int) -> Floats:
    """The normalized discounted cumulative gain of each group whose gains differ, by the number of the group.

    A row at position ``p`` of its group, from 1, counts ``(2**gain - 1) / log2(p + 1)``; the sum over the first ``at``
    rows is divided by that of the best order (Burges et al., ICML 2005). Rows with equal scores stand in the worst
    order, so constant scores gain nothing.

    >>> ndcg(np.array([0.9, 0.1, 0.2]), np.array([1.0, 0.0, 0.0]), np.array([7, 7, 7]), at=10).tolist()
    [1.0]
    """
    _, codes = np.unique(groups, return_inverse=True)
    best = _gained(np.lexsort((-gains, codes)), gains, codes, at)
    worst = _gained(np.lexsort((gains, codes)), gains, codes, at)
    ours = _gained(np.lexsort((gains, -scores, codes)), gains, codes, at)
    differ = best > worst
    found: Floats = ours[differ] / best[differ]
    return found


def _gained(order: Ints, gains: Floats, codes: Ints, at: int) -> Floats:
    """The discounted gain of each group when its rows stand in this order."""
    sorted_codes = codes[order]
    position = np.arange(len(order)) - np.searchsorted(sorted_codes, sorted_codes, side="left")
    counted = np.where(position < at, (2.0 ** gains[order] - 1) / np.log2(position + 2), 0.0)
    return np.bincount(sorted_codes, weights=counted).astype(np.float64)
