"""How pairs of columns go together on a day: rank correlations, from sums that parts of a day add up to."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from smallbox.arrays import Floats
from smallbox.statistics.day_streams import DayValue

PAIR_SUMS: Final = 6
"""Numbers kept for each pair: rows, both scores, both squares, and the product."""

_FEWEST_ROWS: Final = 10
_MOST: Final = 0.9999


@dataclass(frozen=True, slots=True, eq=False)
class PairSums:
    """Sums over the rows that have both values of a pair; adding two gives the sums of the rows of both.

    Attributes:
        sums: ``(pairs, 6)``: the rows, the sums of both scores, of their squares, and of their product.
    """

    sums: Floats

    @classmethod
    def of(cls, first: Floats, second: Floats) -> "PairSums":
        """The sums of some rows.

        Args:
            first: ``(pairs, n)`` the score of each row in the first column of each pair, from -1/2 to 1/2; NaN where
                the value is missing.
            second: the same of the second columns.
        """
        is_known = np.isfinite(first) & np.isfinite(second)
        a, b = np.where(is_known, first, 0.0), np.where(is_known, second, 0.0)
        parts = (is_known * 1.0, a, b, a * a, b * b, a * b)
        return cls(np.stack([part.sum(axis=1) for part in parts], axis=1))

    def __add__(self, other: "PairSums") -> "PairSums":
        return PairSums(self.sums + other.sums)

    def numbers(self) -> list[DayValue]:
        """For each pair Fisher's transform ``atanh(r)`` of the rank correlation ``r`` of the day.

        ``r`` is that of the scores about their own means of the day, so neither column moves it by itself. The
        sampling variance of ``atanh(r)`` is ``(1 + r**2 / 2) / (n - 3)`` (Bonett and Wright, Psychometrika 65, 2000).
        NaN with fewer than ten rows, or where a column has one score only.
        """
        return [_number(*row) for row in self.sums.tolist()]


def _number(rows: float, a: float, b: float, aa: float, bb: float, ab: float) -> DayValue:
    if rows < _FEWEST_ROWS:
        return DayValue(math.nan, math.nan)
    spread, other = aa / rows - (a / rows) ** 2, bb / rows - (b / rows) ** 2
    # rounding leaves a little of a constant column
    if min(spread, other) < 1e-9:  # noqa: PLR2004
        return DayValue(math.nan, math.nan)
    correlation = (ab / rows - a * b / rows**2) / math.sqrt(spread * other)
    correlation = min(max(correlation, -_MOST), _MOST)
    return DayValue(math.atanh(correlation), (1 + correlation**2 / 2) / (rows - 3))
