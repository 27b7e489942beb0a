"""Two versions on the same rows, a day at a time: sums that merge, and the sequence of a ratio of such sums."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from smallbox.arrays import Floats, Ints, np
from smallbox.statistics.sequences import ConfidenceSequence, sequence_width

_USUAL_CORRELATION: Final = 0.2
"""Of a day and the next, before anything is known: about the mean of ten candidates on flights, whose weather lasts."""

_USUAL_DAYS: Final = 10
"""How many days of evidence that counts for."""

_LARGEST_CORRELATION: Final = 0.8


@dataclass(frozen=True, slots=True)
class PairedDay:
    """What is kept of one day of rows that both versions scored. All but ``day`` are sums over rows, so parts add up.

    Attributes:
        day: days since 1970-01-01, UTC.
        rows: labelled rows; groups where the objective is a ranking.
        champion: the champion's losses.
        candidate: the candidate's losses.
        difference_squared: the squares of candidate minus champion.
    """

    day: int
    rows: int
    champion: float
    candidate: float
    difference_squared: float

    def __add__(self, other: "PairedDay") -> "PairedDay":
        """Both parts of the same day together.

        Raises:
            ValueError: the parts are of different days.
        """
        if self.day != other.day:
            raise ValueError(f"days {self.day} and {other.day} do not add up")
        return PairedDay(
            self.day,
            self.rows + other.rows,
            self.champion + other.champion,
            self.candidate + other.candidate,
            self.difference_squared + other.difference_squared,
        )


def paired_days(days: Sequence[int] | Ints | Floats, champion: Floats, candidate: Floats) -> list[PairedDay]:
    """The record of each day, in the order of days.

    Args:
        days: ``(n,)`` the day of each row.
        champion: ``(n,)`` the champion's loss on it.
        candidate: ``(n,)`` the candidate's loss on it.

    >>> paired_days([3, 3], np.array([1.0, 2.0]), np.array([1.5, 2.0]))
    [PairedDay(day=3, rows=2, champion=3.0, candidate=3.5, difference_squared=0.25)]
    """
    names, codes = np.unique(np.asarray(days), return_inverse=True)
    columns = (champion, candidate, (candidate - champion) ** 2)
    sums = [np.bincount(codes, weights=one, minlength=len(names)).tolist() for one in columns]
    counts = np.bincount(codes, minlength=len(names)).tolist()
    return [PairedDay(int(day), *figures) for day, *figures in zip(names, counts, *sums, strict=True)]


def merged_days(parts: Iterable[PairedDay]) -> list[PairedDay]:
    """One record for each day, in the order of days, from parts in any order."""
    found: dict[int, PairedDay] = {}
    for part in parts:
        found[part.day] = found[part.day] + part if part.day in found else part
    return [found[day] for day in sorted(found)]


def effective_units(sizes: Floats) -> float:
    """How many units of equal size are worth as much: ``(sum n)**2 / sum n**2`` (Kish, Survey Sampling, 1965).

    >>> round(effective_units(np.array([900.0, 900.0, 3.0])), 2)
    2.01
    """
    return float(sizes.sum() ** 2 / (sizes**2).sum()) if len(sizes) and sizes.any() else 0.0


def day_sequence(sums: Floats, sizes: Floats, error: float = 0.05, tuned_for: int = 30) -> ConfidenceSequence:
    """The confidence sequence of a mean over rows of days in their order, neighbours of which may be alike.

    That of `ratio_sequence`, with the variance times ``(1 + r) / (1 - r)``, what a first-order autoregression of
    correlation ``r`` makes of the variance of a mean (Bayley and Hammersley, Journal of the Royal Statistical Society
    8, 1946).
    """
    kept = sizes > 0
    return ratio_sequence(sums[kept], sizes[kept], error, tuned_for, neighbour_factor(sums[kept], sizes[kept]))


def ratio_sequence(
    sums: Floats, sizes: Floats, error: float = 0.05, tuned_for: int = 30, variance_factor: float = 1.0
) -> ConfidenceSequence:
    """The confidence sequence of a mean over rows, where rows of one unit depend on each other.

    The estimate is that of a ratio, ``sum s / sum n``, so a unit counts by its rows. Its variance is that of the
    linearised ratio, ``sum (s - r n)**2 / (sum n)**2`` (Cochran, Sampling Techniques, 1977, 6.3), and the width that
    of `mean_sequence` for the effective number of units. With units of one size it is `mean_sequence` of their means.

    Args:
        sums: ``(u,)`` the sum over the rows of each unit.
        sizes: ``(u,)`` the number of its rows; units without rows say nothing.
        error: the probability that the true ratio ever lies outside.
        tuned_for: at about how many units the bounds are to be narrowest.
        variance_factor: by how much the variance of the ratio exceeds that of independent units.

    >>> sums = np.array([10.0, 20.0, 30.0, 20.0, 10.0, 30.0, 20.0, 20.0, 10.0, 30.0])
    >>> found = ratio_sequence(sums, np.full(10, 10.0))
    >>> found.value, round(found.low, 2), round(found.high, 2)
    (2.0, 0.78, 3.22)
    """
    sums, sizes = sums[sizes > 0], sizes[sizes > 0]
    units, total = effective_units(sizes), float(sizes.sum())
    value = float(sums.sum()) / total if total else math.nan
    if units < 2:  # noqa: PLR2004 - one unit has no variance
        return ConfidenceSequence(len(sums), value, -math.inf, math.inf, error)
    standard_error = ratio_error(sums, sizes) * math.sqrt(variance_factor)
    width = sequence_width(standard_error, units, error, tuned_for)
    return ConfidenceSequence(len(sums), value, value - width, value + width, error)


def ratio_error(sums: Floats, sizes: Floats) -> float:
    """The standard error of ``sum s / sum n`` over independent units; NaN below two effective units."""
    units = effective_units(sizes)
    if units < 2:  # noqa: PLR2004 - as above
        return math.nan
    left = _residuals(sums, sizes)
    return math.sqrt(float(left @ left) * units / (units - 1)) / float(sizes.sum())


def neighbour_factor(sums: Floats, sizes: Floats) -> float:
    """By how much correlated neighbours widen the variance of a mean, ``(1 + r) / (1 - r)``; at least 1."""
    return float(neighbour_factors(_residuals(sums, sizes)[None, :])[0])


def neighbour_factors(residuals: Floats) -> Floats:
    """``(k,)`` the factor of each row of residuals ``(k, u)``."""
    correlations = _correlations(residuals)
    return np.asarray((1 + correlations) / (1 - correlations))


def neighbour_correlation(sums: Floats, sizes: Floats) -> float:
    """The correlation of a unit and the next, from 0 to 0.8, pulled to what is usual while there are few.

    The plain estimate is too small by about ``1 / u`` (Marriott and Pope, Biometrika 41, 1954), which is added.
    """
    return float(_correlations(_residuals(sums, sizes)[None, :])[0])


def _correlations(residuals: Floats) -> Floats:
    units, squares = residuals.shape[1], (residuals**2).sum(axis=1)
    lagged = (residuals[:, 1:] * residuals[:, :-1]).sum(axis=1) * units / np.maximum(squares, 1e-300)
    together = np.where(squares > 0, lagged + 1, 0.0)
    pulled = (together + _USUAL_CORRELATION * _USUAL_DAYS) / (units + _USUAL_DAYS)
    return np.asarray(np.clip(pulled, 0.0, _LARGEST_CORRELATION))


def _residuals(sums: Floats, sizes: Floats) -> Floats:
    """What each unit adds to the error of the ratio."""
    return np.asarray(sums - sums.sum() / max(float(sizes.sum()), 1e-300) * sizes)
