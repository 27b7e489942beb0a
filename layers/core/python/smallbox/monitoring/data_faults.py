"""Faults of the data, told from a changed world: another unit, a default that creeps in, a stalled value, nulls."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from smallbox.arrays import Array, Floats, Ints, np
from smallbox.monitoring.day_changes import day_change, day_means

FaultName = Literal["unit change", "default creeping in", "stale upstream", "missing values"]

UNITS: Final[Mapping[str, float]] = {
    "1000 (thousand)": 1000.0,
    "100 (percent, cents)": 100.0,
    "60 (minutes and seconds)": 60.0,
    "24 (days and hours)": 24.0,
    "2.54 (inches and centimetres)": 2.54,
    "1.609 (miles and kilometres)": 1.609344,
    "1.852 (nautical miles and kilometres)": 1.852,
    "2.205 (kilograms and pounds)": 2.20462,
    "3.281 (metres and feet)": 3.28084,
    "3.6 (metres per second and kilometres per hour)": 3.6,
}
"""Factors between units that people mix up; a column may be multiplied or divided by one."""

MIN_SHARE: Final = 0.02
"""A smaller rise of a share is no fault worth a sentence."""

_LEVELS: Final = np.arange(0.1, 0.95, 0.05)
_MIN_VALUES: Final = 50
_MISFIT: Final = 0.1
"""The largest distance of a quantile from that of the reference in the other unit, as a share of their range."""

_MIN_DISTINCT: Final = 8
_STALE_SHARE: Final = 0.34
_SAME_REST: Final = 0.15


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of one column.

    Attributes:
        name: which.
        column: the input column.
        sentence: what was seen, with its numbers.
        size: the share of rows that it touches, 0 to 1.
    """

    name: FaultName
    column: str
    sentence: str
    size: float


def faults_of(column: str, before: Array, days: Ints, after: Array, recent: Ints, error: float) -> list[Fault]:
    """The faults of a column in recent days; they must show in every recent day.

    Args:
        column: its name.
        before: ``(n,)`` the reference's values: numbers with NaN, or texts with ``""``, for missing.
        days: ``(n,)`` the day of each.
        after: ``(u,)`` the recent values.
        recent: ``(u,)`` the day of each.
        error: as of :func:`~smallbox.monitoring.day_changes.day_change`.
    """
    found = [_missing(column, before, days, after, recent, error)]
    unit = _unit(column, before, days, after, recent) if before.dtype != object else None
    found += [unit] if unit else [_stale(column, before, days, after, recent)]
    if not any(found):  # a stalled or rescaled column has a new frequent value too
        found.append(_default(column, before, days, after, recent, error))
    return [one for one in found if one]


def _missing(column: str, before: Array, days: Ints, after: Array, recent: Ints, error: float) -> Fault | None:
    changed = day_change(day_means(~_known(before) * 1.0, days), day_means(~_known(after) * 1.0, recent), error)
    if not changed.is_certain or changed.change.value < MIN_SHARE:
        return None
    told = f"{column} is missing in {changed.after:.1%} of the rows; it was {changed.before:.1%}"
    return Fault("missing values", column, told, changed.change.value)


def _default(column: str, before: Array, days: Ints, after: Array, recent: Ints, error: float) -> Fault | None:
    """One value's share jumped: above every day of the reference on each recent day, and beyond chance."""
    known = after[_known(after)]
    if len(known) < _MIN_VALUES:
        return None
    values, counts = np.unique(known.astype(str) if known.dtype == object else known, return_counts=True)
    for place in np.argsort(-counts)[:3]:
        value = values[place]
        old, new = day_means((before == value) * 1.0, days), day_means((after == value) * 1.0, recent)
        changed = day_change(old, new, error)
        jumped = changed.is_certain and new.min() > old.max() + MIN_SHARE
        if jumped and _evenly(value, before, after):
            told = f"{column} is {value} in {changed.after:.1%} of the rows; it was {changed.before:.1%}"
            return Fault("default creeping in", column, told, changed.change.value)
    return None


def _evenly(value: Any, before: Array, after: Array) -> bool:
    """Whether all other values kept their proportions, as under a default; when the mix itself moved, they do not."""
    old, new = (rows[_known(rows) & (rows != value)] for rows in (before, after))
    if not len(old) or not len(new):
        return False
    codes = np.unique(np.concatenate([old, new]), return_inverse=True)[1]
    counts = (np.bincount(part, minlength=int(codes.max()) + 1) for part in (codes[: len(old)], codes[len(old) :]))
    one, other = (np.cumsum(part) / part.sum() for part in counts)
    return float(np.abs(one - other).max()) < _SAME_REST


def _stale(column: str, before: Array, days: Ints, after: Array, recent: Ints) -> Fault | None:
    """The number of distinct values of a day collapsed to a third of the least that the reference had."""
    old, new = _distinct(before, days), _distinct(after, recent)
    if not len(old) or not len(new) or old.min() < _MIN_DISTINCT or new.max() > _STALE_SHARE * old.min():
        return None
    told = (
        f"{column} has at most {new.max():.0f} distinct values a day; it had at least {old.min():.0f}: it stands still"
    )
    return Fault("stale upstream", column, told, 1.0)


def _distinct(values: Array, days: Ints) -> Floats:
    known = _known(values)
    counted = [
        (len(np.unique(rows.astype(str) if rows.dtype == object else rows)), len(rows))
        for rows in _by_day(values[known], days[known])
    ]
    return np.array([count for count, rows in counted if rows >= _MIN_VALUES], float)


def _unit(column: str, before: Array, days: Ints, after: Array, recent: Ints) -> Fault | None:
    """The recent quantiles are the reference's in another unit, on days beyond all that the reference has seen."""
    old, new = ([day[~np.isnan(day)] for day in _by_day(*one)] for one in ((before, days), (after, recent)))
    old, new = ([day for day in one if len(day) >= _MIN_VALUES] for one in (old, new))
    if not old or not new:
        return None
    usual, middles = [float(np.median(day)) for day in old], [float(np.median(day)) for day in new]
    if any(min(usual) <= middle <= max(usual) for middle in middles):
        return None
    name = _unit_of(np.quantile(np.concatenate(old), _LEVELS), np.quantile(np.concatenate(new), _LEVELS))
    if not name:
        return None
    return Fault("unit change", column, f"{column} is the reference's {name}: another unit", 1.0)


def _unit_of(old: Floats, new: Floats) -> str:
    """What the recent quantiles are of the reference's, in words; empty when no known change of unit fits."""
    lines = {"x 1.8 + 32": (1.8, 32.0), "less 32, / 1.8": (1 / 1.8, -32 / 1.8)}
    lines |= {f"x {name}": (factor, 0.0) for name, factor in UNITS.items()}
    lines |= {f"/ {name}": (1 / factor, 0.0) for name, factor in UNITS.items()}
    misfits = {name: _misfit(slope * old + added, new) for name, (slope, added) in lines.items()}
    best = min(misfits, key=lambda name: misfits[name])
    return best if misfits[best] < min(_MISFIT, _misfit(old, new) / 2) else ""


def _misfit(expected: Floats, new: Floats) -> float:
    return float(np.abs(new - expected).max() / max(np.ptp(expected), 1e-12))


def _known(values: Array) -> Array:
    return np.asarray(values != "") if values.dtype == object else ~np.isnan(values)


def _by_day(values: Array, days: Ints) -> list[Array]:
    return [values[days == day] for day in np.unique(days)]
