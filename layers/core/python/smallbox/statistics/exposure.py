"""How concentrated the exposures of items are, and whether a shift of exposure is earned."""

import math
from dataclasses import dataclass
from typing import Final

from smallbox.arrays import Floats, np
from smallbox.statistics.estimates import UNKNOWN, Estimate, mean_estimate

FOLDS: Final = 7
"""Every seventh day is judged by an order that the other days gave."""

PRIOR_ROWS: Final = 30
"""The rate of an item is shrunk to the mean as if it had so many more rows of the mean."""

MIN_SPREAD: Final = 0.05
"""The better exposure is spread over this share of the catalogue at least: a few items would be noise alone."""


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


@dataclass(frozen=True, slots=True, eq=False)
class Forgone:
    """What is shown beside an exposure that is as concentrated, on the items that look best, by the explored rows.

    Attributes:
        better: by day what a row of the better exposure would earn, (days,).
        shown: by day what a row of the shown exposure earns, (days,).
        better_shares: the better exposure, (items,), a mean over the folds.
        shown_shares: the shown exposure, (items,).
        variances: of the explored rate of each item, (items,), from the rate that all its labels give.
    """

    better: Floats
    shown: Floats
    better_shares: Floats
    shown_shares: Floats
    variances: Floats

    def surplus(self, share: float) -> Estimate:
        """By how much ``better`` exceeds ``1 + share`` times ``shown``: a mean over days, the day as unit.

        It is linear in both, so that a shown rate of few rows, which a ratio would divide by, does no harm. Where few
        explored rows speak of the shown items and happen to have no label above 0, the days differ too little; so the
        variance is at least that of labels 0 and 1 with the items' rates.
        """
        found = mean_estimate(self.better - (1 + share) * self.shown)
        moved = self.better_shares - (1 + share) * self.shown_shares
        return Estimate(found.value, max(found.variance, float((moved**2 * self.variances).sum())))

    @property
    def share(self) -> float:
        """What the better exposure would earn more, as a share; NaN without explored labels of what is shown."""
        shown = float(self.shown.sum())
        return float(self.better.sum()) / shown - 1 if shown > 0 else math.nan


def forgone(base: Floats, explored: Floats, gained: Floats, judged: Floats, earned: Floats) -> Forgone:
    """What the shown items forgo against the best ones, with no more concentration.

    The better exposure is spread evenly over so many items that two rows show the same one as often as now (the inverse
    of Simpson's index), and over at least :data:`MIN_SPREAD` of the catalogue. Which items these are is learnt from all
    labels, explored or not, of six days in seven; what they earn is judged on the explored rows of the seventh. So the
    best of noise does not look better than it is, and labels that a place on the page has made do no harm: a wrong
    order only forgoes less. A row counts by the inverse of its item's share of the explored rows (Horvitz and
    Thompson, JASA 47, 1952). Items without an explored label are left out.

    Args:
        base: share of the exposures of each item, (items,).
        explored: exposures by exploration, (days, items).
        gained: the labels of these exposures added up, (days, items).
        judged: exposures that the model chose and whose label is known, (days, items).
        earned: the labels of those added up, (days, items).
    """
    some, known = explored.sum(1) > 0, explored.sum(0) > 0
    base = base[known] / max(float(base[known].sum()), 1e-12)
    rows, labels = (explored + judged)[some][:, known], (gained + earned)[some][:, known]
    per_row = gained[some][:, known] * (explored.sum() / explored.sum(0)[known]) / explored[some].sum(1, keepdims=True)
    moved = np.zeros_like(rows)
    for fold in range(FOLDS):
        held = np.arange(len(rows)) % FOLDS == fold
        moved[held] = _spread_over_best(base, _rates(rows[~held], labels[~held]))
    rates = _rates(rows, labels)
    variances = np.maximum(rates * (1 - rates), 0.0) / explored.sum(0)[known]
    return Forgone((per_row * moved).sum(1), per_row @ base, moved.sum(0) / max(1, len(rows)), base, variances)


def _rates(rows: Floats, labels: Floats) -> Floats:
    """The rate of each item over the days, (items,), shrunk to the mean."""
    mean = float(labels.sum()) / max(1.0, float(rows.sum()))
    found: Floats = (labels.sum(0) + PRIOR_ROWS * mean) / (rows.sum(0) + PRIOR_ROWS)
    return found


def _spread_over_best(base: Floats, rates: Floats) -> Floats:
    """Equal shares of the items with the highest rates, as many as the shares' concentration is worth."""
    most = max(math.ceil(1 / max(float((base**2).sum()), 1 / max(1, len(base)))), round(MIN_SPREAD * len(base)), 1)
    moved = np.zeros(len(base))
    moved[np.argsort(-rates, kind="stable")[:most]] = 1 / min(most, max(1, len(base)))
    return moved


def _lift(weights: Floats, base: Floats, explored: Floats, gained: Floats) -> float:
    known = explored > 0
    rates = gained[known] / explored[known]
    shares = [one[known] for one in (weights, base)]
    if not all(one.sum() > 0 for one in shares):
        return math.nan
    now, before = (float((one * rates).sum() / one.sum()) for one in shares)
    return now / before - 1 if before > 0 else math.nan
