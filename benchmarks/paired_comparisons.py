"""Kinds of comparing two versions on the same flights, and how many rows each needs.

Used by `benchmarks.shadow_flights`.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from benchmarks.flight_candidates import ShadowedFlights
from smallbox.arrays import Floats, Ints
from smallbox.statistics.paired_days import neighbour_factor, ratio_error
from smallbox.statistics.ranking import auc
from smallbox.statistics.sequences import units_needed
from smallbox.times import DAY

HOUR: Final = DAY // 24
NEWTON: Final = 15


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """A kind of comparison.

    Attributes:
        rows: ``(n,)`` the difference of each row.
        days: ``(n,)`` the day of each row, from 0.
    """

    rows: Floats
    days: Ints

    @property
    def sums(self) -> Floats:
        """``(d,)`` by day."""
        return np.asarray(np.bincount(self.days, self.rows), dtype=float)

    @property
    def sizes(self) -> Floats:
        """``(d,)`` rows of each day."""
        return np.bincount(self.days).astype(float)

    @property
    def mean(self) -> float:
        """Over all rows."""
        return float(self.rows.mean())

    @property
    def design_effect(self) -> float:
        """Variance by days over variance by rows."""
        return float(ratio_error(self.sums, self.sizes) ** 2 / (self.rows.var() / len(self.rows)))

    def rows_until(self, variance_factor: float) -> int:
        """Rows until the sequence excludes zero, with a variance of so many times that of independent rows."""
        return needed(float(self.rows.std()) * math.sqrt(variance_factor), self.mean)

    def rows_by_days(self) -> int:
        """The same with days, and the correlation of neighbours."""
        return self.rows_until(self.design_effect * neighbour_factor(self.sums, self.sizes))


def needed(deviation: float, difference: float) -> int:
    """Units until a sequence that is tuned to their number excludes zero."""
    return units_needed(deviation, abs(difference), 0.05, 0.5).sequential


def log_loss(chances: Floats, late: Floats) -> Floats:
    """``(n,)`` the loss of each row."""
    kept = np.clip(chances, 1e-6, 1 - 1e-6)
    return np.asarray(-(late * np.log(kept) + (1 - late) * np.log(1 - kept)))


def set_by_day(chances: Floats, late: Floats, days: Ints, *, slope: bool) -> Floats:
    """The probabilities after the level of each day, and the slope, are fitted to its labels."""
    found = np.empty_like(chances)
    for day in range(int(days.max()) + 1):
        rows = days == day
        odds = np.log(chances[rows] / (1 - chances[rows]))
        basis, offset = (np.column_stack([np.ones_like(odds), odds]), 0.0) if slope else (np.ones((len(odds), 1)), odds)
        weights = np.zeros(basis.shape[1])
        for _ in range(NEWTON):
            chance = 1 / (1 + np.exp(-(basis @ weights + offset)))
            information = (basis * (chance * (1 - chance))[:, None]).T @ basis + 1e-6 * np.eye(len(weights))
            weights = weights + np.linalg.solve(information, basis.T @ (late[rows] - chance))
        found[rows] = 1 / (1 + np.exp(-(basis @ weights + offset)))
    return found


def auc_by_day(chances: Floats, late: Floats, days: Ints) -> Floats:
    """``(n,)`` the AUC of each row's day."""
    found = [auc(chances[days == day], late[days == day] > 0).value for day in range(int(days.max()) + 1)]
    return np.asarray(np.array(found)[days])


def comparisons(flights: ShadowedFlights, name: str) -> dict[str, Compared]:
    """The kinds of comparison of a candidate with the champion."""
    late, days = flights.late.astype(float), flights.times // DAY - flights.times[0] // DAY
    pair = (flights.candidates[name], flights.champion)
    leveled = [[log_loss(set_by_day(one, late, days, slope=slope), late) for one in pair] for slope in (False, True)]
    kinds = {
        "loss": [log_loss(one, late) for one in pair],
        "level of each day set": leveled[0],
        "level and slope of each day set": leveled[1],
        "AUC within days": [auc_by_day(one, late, days) for one in pair],
    }
    return {kind: Compared(ours - theirs, days) for kind, (ours, theirs) in kinds.items()}


def two_arms(flights: ShadowedFlights, name: str) -> tuple[int, int]:
    """Rows that two arms of independent rows need, by loss and by AUC."""
    late, pair = flights.late.astype(float), (flights.candidates[name], flights.champion)
    losses = [log_loss(one, late) for one in pair]
    areas = [auc(one, flights.late) for one in pair]
    deviation = math.sqrt(2 * sum(float(one.var()) for one in losses))
    ranked = math.sqrt(2 * len(late) * sum(one.variance for one in areas))
    return needed(deviation, float((losses[0] - losses[1]).mean())), needed(ranked, areas[0].value - areas[1].value)


def hour_effects(flights: ShadowedFlights, loss: Compared) -> tuple[float, float, float]:
    """The design effect of hours as independent, and with the correlation of hours up to one and to two days apart."""
    hours = flights.times // HOUR - flights.times[0] // HOUR
    left = np.bincount(hours, loss.rows - loss.mean)
    whole = float(loss.rows.var()) * len(loss.rows)

    def up_to(lags: int) -> float:
        """The variance of the sum, by Newey and West (Econometrica 55, 1987)."""
        lagged = sum((1 - lag / (lags + 1)) * float(left[lag:] @ left[:-lag]) for lag in range(1, lags + 1))
        return (float(left @ left) + 2 * lagged) / whole

    return up_to(0), up_to(24), up_to(48)
