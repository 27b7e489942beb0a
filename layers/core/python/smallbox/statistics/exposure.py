"""How concentrated the exposures of items are, and whether a shift of exposure is earned."""

import math

from smallbox.arrays import Floats, np
from smallbox.statistics.estimates import UNKNOWN, Estimate


def gini(counts: Floats) -> float:
    """Gini coefficient of the exposures by item: 0 when all are shown equally often, near 1 when one is shown alone.

    Args:
        counts: exposures by item of the catalogue, with zeros for items that were not shown.

    >>> gini(np.array([1.0, 1.0])), gini(np.array([0.0, 1.0]))
    (0.0, 0.5)
    """
    total, items = float(counts.sum()), len(counts)
    if not total:
        return math.nan
    ranks = np.arange(1, items + 1)
    return float(2 * (ranks * np.sort(counts)).sum() / (items * total) - (items + 1) / items)


def top_share(counts: Floats, share: float = 0.1) -> float:
    """The share of all exposures that the most shown ``share`` of the catalogue has; NaN without exposures."""
    total, top = float(counts.sum()), max(1, round(share * len(counts)))
    return float(np.sort(counts)[-top:].sum() / total) if total else math.nan


def shown_share(counts: Floats) -> float:
    """The share of the catalogue that was shown at all; it grows with the number of exposures. NaN without items."""
    return float((counts > 0).mean()) if len(counts) else math.nan


def repeat_rate(counts: Floats) -> float:
    """The chance that two exposures show the same item: Simpson's index ``sum n(n-1) / (N(N-1))``.

    It is unbiased whatever the number of exposures, so that busy and quiet days compare; NaN below two exposures.
    Source: Simpson, Measurement of diversity, Nature 163 (1949).

    >>> repeat_rate(np.array([2.0, 2.0]))
    0.3333333333333333
    """
    total = float(counts.sum())
    return float((counts * (counts - 1)).sum() / (total * (total - 1))) if total > 1 else math.nan


def exposure_lift(weights: Floats, base: Floats, explored: Floats, gained: Floats) -> Estimate:
    """By how much a shift of exposure raises the explored rate of what is shown, as a share of the rate before.

    Zero: the items that are shown more are no better than those that are shown less. The rate of an item is pooled over
    the days; the variance is the jackknife over days, since rows of one day are not independent.

    Args:
        weights: share of the exposures of each item now, (items,).
        base: share of the exposures of each item before, (items,).
        explored: exposures by exploration, (days, items).
        gained: the labels of these exposures added up, (days, items).
    """
    days = len(explored)
    if days < 2:  # noqa: PLR2004 - one day has no variance
        return UNKNOWN
    value = _lift(weights, base, explored.sum(0), gained.sum(0))
    left_out = np.array(
        [_lift(weights, base, explored.sum(0) - explored[d], gained.sum(0) - gained[d]) for d in range(days)]
    )
    return Estimate(value, float((days - 1) / days * ((left_out - left_out.mean()) ** 2).sum()))


def forgone_share(base: Floats, explored: Floats, gained: Floats) -> Estimate:
    """What the same concentration would earn more on the items that exploration finds best, as a share.

    The items are ordered by their rates on every second day, and judged on the other days, and the other way round: the
    best of noise does not look better than it is. Zero or less: the shown items are as good as exploration can tell.

    Args:
        base: share of the exposures of each item, (items,).
        explored: exposures by exploration, (days, items).
        gained: the labels of these exposures added up, (days, items).
    """
    days = [(explored[at::2], gained[at::2]) for at in (0, 1)]
    halves = [exposure_lift(_best_first(base, *days[1 - at]), base, *days[at]) for at in (0, 1)]
    return Estimate(sum(one.value for one in halves) / 2, sum(one.variance for one in halves) / 4)


def _best_first(base: Floats, explored: Floats, gained: Floats) -> Floats:
    """The same shares, the largest on the item with the highest rate; rates of few rows are shrunk to the mean."""
    total = max(1.0, float(explored.sum()))
    rates = (gained.sum(0) + 10 * gained.sum() / total) / (explored.sum(0) + 10)
    moved = np.empty_like(base)
    moved[np.argsort(-rates, kind="stable")] = np.sort(base)[::-1]
    return moved


def _lift(weights: Floats, base: Floats, explored: Floats, gained: Floats) -> float:
    known = explored > 0
    rates = gained[known] / explored[known]
    shares = [one[known] for one in (weights, base)]
    if not all(one.sum() > 0 for one in shares):
        return math.nan
    now, before = (float((one * rates).sum() / one.sum()) for one in shares)
    return now / before - 1 if before > 0 else math.nan
