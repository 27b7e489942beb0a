"""Scores calibrated again on labelled rows, and how much that depends on the days of these rows."""

from dataclasses import dataclass, replace
from typing import Final

from smallbox.arrays import Array, Floats, Ints, np

_STEPS: Final = 12
_RIDGE: Final = np.array([1e-6, 1e-6, 1.0])
"""The square of the log-odds needs evidence; level and slope do not."""

_SMALLEST: Final = 1e-6
_TAIL: Final = 0.001


@dataclass(frozen=True, slots=True, eq=False)
class Recalibration:
    """Calibrated probabilities as a smooth function of the scores.

    The log-odds of each class are a quadratic function of the score's log-odds: Platt scaling (Advances in Large Margin
    Classifiers, 1999) with a bend. It is fitted for each class against the others; with two classes, for the second.

    Attributes:
        parameters: ``(k, 3)``; ``(1, 3)`` for two classes.
        centre: ``(k,)`` the mean log-odds, by which they are centred.
        scale: ``(k,)`` their standard deviation.
        low: ``(k,)`` log-odds below this were hardly seen; smaller ones are taken for it.
        high: ``(k,)`` the same above.
        by_day: ``(d, k, 3)`` the parameters without each of the days: a jackknife over days, by one Newton step.
    """

    parameters: Floats
    centre: Floats
    scale: Floats
    low: Floats
    high: Floats
    by_day: Floats

    def applied(self, probabilities: Floats) -> Floats:
        """The calibrated probabilities ``(n, k)`` of scores ``(n, k)``; each row adds up to 1."""
        chances = 1 / (1 + np.exp(-np.einsum("nkp,kp->nk", self._basis(probabilities), self.parameters)))
        if chances.shape[1] == 1:
            return np.column_stack([1 - chances[:, 0], chances[:, 0]])
        chances = np.maximum(chances, _SMALLEST)
        return np.asarray(chances / chances.sum(axis=1, keepdims=True))

    def without_each_day(self) -> list["Recalibration"]:
        """The calibration without each of the days."""
        return [replace(self, parameters=one) for one in self.by_day]

    def outside(self, probabilities: Floats) -> float:
        """The share of rows with a score beyond what the calibration has seen, 0 to 1."""
        odds = _log_odds(probabilities)
        return float(np.mean(((odds < self.low) | (odds > self.high)).any(axis=1)))

    def _basis(self, probabilities: Floats) -> Floats:
        at = (np.clip(_log_odds(probabilities), self.low, self.high) - self.centre) / self.scale
        return np.stack([np.ones_like(at), at, at**2], axis=2)


def recalibrated(probabilities: Floats, classes: Ints, days: Ints, weights: Floats | None = None) -> Recalibration:
    """Fit the calibration.

    Args:
        probabilities: ``(n, k)`` the scores of each class; ``k`` is 2 or more.
        classes: ``(n,)`` the class that happened, from 0.
        days: ``(n,)`` the day of each row; rows of one day depend on each other.
        weights: ``(n,)`` how much a row counts; by default all the same.
    """
    odds = _log_odds(probabilities)
    weights = np.ones(len(odds)) if weights is None else weights
    low, high = np.quantile(odds, (_TAIL, 1 - _TAIL), axis=0)
    centre = np.average(odds, axis=0, weights=weights)
    scale = np.maximum(np.sqrt(np.average((odds - centre) ** 2, axis=0, weights=weights)), _SMALLEST)
    count, codes = odds.shape[1], np.unique(days, return_inverse=True)[1]
    empty = Recalibration(np.zeros((count, 3)), centre, scale, low, high, np.empty(0))
    first = 1 if probabilities.shape[1] == 2 else 0  # noqa: PLR2004 - the second of two classes says all
    basis = empty._basis(probabilities)  # noqa: SLF001 - its own class
    fits = [_fitted(basis[:, k], classes == k + first, weights, codes) for k in range(count)]
    return replace(
        empty, parameters=np.array([one for one, _ in fits]), by_day=np.stack([many for _, many in fits], axis=1)
    )


def _fitted(basis: Floats, happened: Array, weights: Floats, codes: Ints) -> tuple[Floats, Floats]:
    """The parameters ``(3,)`` by Newton's method, and those without each day ``(d, 3)``."""
    found = np.zeros(basis.shape[1])
    for _ in range(_STEPS):
        chance = 1 / (1 + np.exp(-basis @ found))
        information = (basis * (weights * chance * (1 - chance))[:, None]).T @ basis + np.diag(_RIDGE)
        found = found + np.linalg.solve(information, basis.T @ (weights * (happened - chance)) - _RIDGE * found)
    chance = 1 / (1 + np.exp(-basis @ found))
    left_out = []
    for day in range(int(codes.max()) + 1):
        rows = codes == day
        own = basis[rows]
        score = own.T @ (weights * (happened - chance))[rows]
        lost = (own * (weights * chance * (1 - chance))[rows][:, None]).T @ own
        left_out.append(found - np.linalg.solve(information - lost, score))
    return found, np.array(left_out)


def _log_odds(probabilities: Floats) -> Floats:
    kept = probabilities[:, 1:] if probabilities.shape[1] == 2 else probabilities  # noqa: PLR2004 - as above
    kept = np.clip(kept, _SMALLEST, 1 - _SMALLEST)
    return np.asarray(np.log(kept / (1 - kept)))
