"""Whether an answer's inputs are like those of the training rows: a range, the categories, and a distance.

The distance is Mahalanobis' of the numbers after each was replaced by the normal quantile of its rank among the
training rows: outliers and units count nothing, correlations do. So a row is far when its values do not go together,
each of them being ordinary. Numbers that a row misses are left out of its distance.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from smallbox.arrays import Array, Bools, Floats, Floats32, Objects

FAR_SHARE: Final = 0.001
"""A row is far when it is farther than all but this share of the training rows."""

MOST_CATEGORIES: Final = 10_000
"""A text with more categories is not checked."""

_KNOTS: Final = 33
_LEAST_VARIANCE: Final = 0.01
"""In any direction, so that numbers which are sums of others do no harm."""

_MOST_ROWS: Final = 20_000
_ELEMENTS: Final = 2_000_000
"""Numbers that are computed with at once, which bounds the memory."""


@dataclass(frozen=True, slots=True, eq=False)
class Familiar:
    """What training rows were like; no row of them is kept.

    Attributes:
        lowest: ``(k,)`` the least value of each number; NaN when it was always missing.
        highest: ``(k,)`` the greatest.
        categories: of each text the categories, sorted; ``None`` when there are too many.
        knots: ``(k, q)`` quantiles of each number, evenly spaced.
        covariance: ``(k, k)`` of the normal quantiles.
        limit: the squared distance beyond which a row is far.
    """

    lowest: Floats32
    highest: Floats32
    categories: Sequence[Collection[str] | None]
    knots: Floats
    covariance: Floats
    limit: float

    def out_of_range(self, numeric: Array) -> Bools:
        """Which numbers of ``n`` rows lie outside the training rows' range, ``(n, k)``; a missing one does not."""
        values = numeric.astype(np.float32)
        return np.asarray((values < self.lowest) | (values > self.highest))

    def unseen(self, categorical: Objects) -> Bools:
        """Which texts of ``n`` rows no training row had, ``(n, m)``; a missing one, ``""``, is not counted."""
        found = np.zeros(categorical.shape, np.bool_)
        for column, known in enumerate(self.categories):
            if known is not None:
                found[:, column] = [bool(text) and text not in known for text in categorical[:, column]]
        return found

    def distances(self, numeric: Array) -> Floats:
        """The squared distance of ``n`` rows, ``(n,)``."""
        step = max(1, _ELEMENTS // max(1, numeric.shape[1] ** 2))
        parts = [self._distances(numeric[at : at + step]) for at in range(0, len(numeric), step)]
        return np.concatenate([np.zeros(0), *parts])

    def _distances(self, numeric: Array) -> Floats:
        scores = _normal_scores(numeric.astype(np.float64), self.knots)
        is_known = ~np.isnan(scores)
        scores[~is_known] = 0
        # a missing number has no part in the others' distance: its row and column are those of the identity
        both = is_known[:, :, None] & is_known[:, None, :]
        within = np.where(both, self.covariance, np.eye(scores.shape[1]))
        found: Floats = (scores * np.linalg.solve(within, scores[:, :, None])[:, :, 0]).sum(axis=1)
        return found

    def is_far(self, numeric: Array) -> Bools:
        """Which of ``n`` rows are far from the training rows, ``(n,)``."""
        return np.asarray(self.distances(numeric) > self.limit)


def familiar(numeric: Floats32, categorical: Objects) -> Familiar:
    """What ``n`` training rows are like; of many rows an even sample gives the distance.

    Args:
        numeric: ``(n, k)``; NaN means missing.
        categorical: ``(n, m)``.
    """
    some = numeric[:: max(1, len(numeric) // _MOST_ROWS)].astype(np.float64)
    knots = _knots(some)
    covariance = _covariance(_normal_scores(some, knots))
    first = Familiar(*_range(numeric), _categories(categorical), knots, covariance, np.inf)
    distances = first.distances(some)
    return replace(first, limit=float(np.quantile(distances, 1 - FAR_SHARE, method="higher")))


def _covariance(scores: Floats) -> Floats:
    """Of each pair over the rows that have both."""
    is_known = ~np.isnan(scores)
    known, counts = np.where(is_known, scores, 0), is_known.T.astype(np.float64) @ is_known
    values, vectors = np.linalg.eigh(known.T @ known / np.maximum(counts, 1))
    found: Floats = (vectors * np.maximum(values, _LEAST_VARIANCE)) @ vectors.T
    return found


def _range(numeric: Floats32) -> tuple[Floats32, Floats32]:
    is_missing = np.isnan(numeric)
    lowest = np.where(is_missing, np.inf, numeric).min(axis=0, initial=np.inf)
    highest = np.where(is_missing, -np.inf, numeric).max(axis=0, initial=-np.inf)
    is_known = lowest <= highest
    return np.where(is_known, lowest, np.nan).astype(np.float32), np.where(is_known, highest, np.nan).astype(np.float32)


def _categories(categorical: Objects) -> list[list[str] | None]:
    found = [sorted({*column.tolist()} - {""}) for column in categorical.T]
    return [known if len(known) <= MOST_CATEGORIES else None for known in found]


def _knots(numeric: Floats) -> Floats:
    levels = np.linspace(0, 1, _KNOTS)
    known = [column[~np.isnan(column)] for column in numeric.T]
    rows = [np.quantile(column, levels) if len(column) else np.zeros(_KNOTS) for column in known]
    return np.array(rows).reshape(-1, _KNOTS)


def _normal_scores(numeric: Floats, knots: Floats) -> Floats:
    """The normal quantile of each value's rank; a value that repeats has the middle of its ranks."""
    levels = _normal_quantiles(knots.shape[1])
    found = np.zeros(numeric.shape)
    for column, (values, edges) in enumerate(zip(numeric.T, knots, strict=True)):
        # interpolate from both ends: where knots are equal, the mean of both is the middle of their levels
        from_left = np.interp(values, edges, levels)
        from_right = -np.interp(-values, -edges[::-1], levels)
        found[:, column] = (from_left + from_right) / 2
    return found


def _normal_quantiles(count: int) -> Floats:
    """Normal quantiles of evenly spaced levels, by a logistic approximation that numpy has all of."""
    levels = (np.arange(count) + 0.5) / count
    found: Floats = np.log(levels / (1 - levels)) / 1.702
    return found
