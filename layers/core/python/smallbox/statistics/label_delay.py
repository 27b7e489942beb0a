"""How late labels come: the delay curve, and means of days whose labels are still coming.

The curve is counted on **settled** days only, whose attribution windows are over. Every label that such a day will ever
have is there, so no label is cut off and the empirical distribution needs no correction for truncation; a Kaplan-Meier
estimate without censoring is this distribution. (On days that still wait, fast labels are over-represented: Lagakos,
Barraj, De Gruttola, Biometrika 75(3), 1988, give the product-limit form for truncated delays.)

A mean over the labels that are known already weighs each by ``1 / G(age)``, the inverse of the chance that it would be
known by now (Horvitz and Thompson, JASA 47, 1952, with the weights normalised after Hajek). It is right when the delay
does not depend on the value; when it depends on the class, each class needs a curve of its own.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from smallbox.arrays import Floats, Ints, np
from smallbox.statistics.estimates import Estimate
from smallbox.statistics.intervals import student_quantile

DELAY_BINS: Final = 96
"""Delays are counted in this many equal parts of the attribution window."""

MIN_CURVE_DAYS: Final = 7
"""A curve of fewer settled days says too little of how days differ."""

MIN_KNOWN: Final = 0.05
"""Ages at which fewer labels than this share are known are left out: their weights would be above 20."""

MIN_EFFECTIVE: Final = 30
"""The least effective sample size, ``sum(w)**2 / sum(w**2)``."""

_QUARTERS: Final = (0.25, 0.5, 0.75)
_MIN_LABELS: Final = 5
_DIFFERENCE_ERROR: Final = 0.01


def delay_counts(delays: Floats) -> Ints:
    """How many labels came in each part of the window.

    Args:
        delays: delays as shares of the window; those before its start count as 0.

    Returns:
        ``(DELAY_BINS,)``.

    >>> delay_counts(np.array([-1.0, 0.0, 1.0]))[[0, -1]].tolist()
    [2, 1]
    """
    bins = np.clip((delays * DELAY_BINS).astype(np.int64), 0, DELAY_BINS - 1)
    return np.bincount(bins, minlength=DELAY_BINS)


@dataclass(frozen=True, slots=True, eq=False)
class MaturityCurve:
    """The share of labels that are known after a part of the window, from settled days.

    Attributes:
        days: ``(d, DELAY_BINS)``: for each settled day how many labels came in each part of the window.
    """

    days: Ints

    @property
    def labels(self) -> int:
        """The number of labels behind the curve."""
        return int(self.days.sum())

    def known_by(self, ages: Floats) -> Floats:
        """The share of labels known at each age, a share of the window; linear within a part. NaN without labels."""
        total = self.days.sum(axis=0).cumsum()
        if not self.labels:
            return np.full(len(ages), np.nan)
        edges = np.linspace(0, 1, DELAY_BINS + 1)
        found: Floats = np.interp(ages, edges, np.concatenate(([0], total)) / total[-1])
        return found

    def without(self, day: int) -> "MaturityCurve":
        """The curve of all days but one."""
        return MaturityCurve(np.delete(self.days, day, axis=0))


def delays_differ(one: MaturityCurve, other: MaturityCurve) -> bool | None:
    """Whether two classes mature at different speeds: a paired two-sample test, with the day as the unit.

    At each quartile of the pooled delays the days' differences of both distribution functions are tested against 0 by
    Student's t, at an error of 1 % over the three together (Bonferroni). Labels of one day share its causes, so a test
    that takes them as independent would find differences everywhere.

    Args:
        one: the curve of the first class.
        other: that of the second, over the same days in the same order.

    Returns:
        ``None``: cannot tell; fewer than ``MIN_CURVE_DAYS`` days have five labels of both.
    """
    both = (one.days.sum(axis=1) >= _MIN_LABELS) & (other.days.sum(axis=1) >= _MIN_LABELS)
    days = int(both.sum())
    if days < MIN_CURVE_DAYS:
        return None
    ours, theirs = (_distributions(curve.days[both]) for curve in (one, other))
    pooled = (one.days + other.days).sum(axis=0).cumsum()
    at = np.searchsorted(pooled, np.array(_QUARTERS) * pooled[-1]).clip(0, DELAY_BINS - 1)
    differences = (ours - theirs)[:, at]
    error = differences.std(axis=0, ddof=1) / math.sqrt(days)
    limit = student_quantile(days - 1, 1 - _DIFFERENCE_ERROR / (2 * len(_QUARTERS)))
    return bool((np.abs(differences.mean(axis=0)) > limit * error).any())


def _distributions(days: Ints) -> Floats:
    totals: Floats = days.cumsum(axis=1) / days.sum(axis=1, keepdims=True)
    return totals


@dataclass(frozen=True, slots=True)
class Corrected:
    """A mean that is corrected for labels still to come.

    Attributes:
        estimate: the mean with its variance: of the sample, of the curve, and of how much a day's own delays differ
            from it; ``None`` when it is refused.
        effective: the effective sample size.
        why: why it is refused; empty when it is not.
        is_by_class: whether each class has a curve of its own.
    """

    estimate: Estimate | None
    effective: float
    why: str = ""
    is_by_class: bool = False


def corrected_mean(
    values: Floats, ages: Floats, classes: Ints, curves: Sequence[MaturityCurve], recent_days: int
) -> Corrected:
    """The mean over all labels that recent predictions will have, from those known already.

    It is ``sum(w * value) / sum(w)`` with ``w = 1 / G_class(age)``. The variance adds the linearised sampling part,
    ``sum(w**2 * (value - mean)**2) / sum(w)**2``, and a jackknife over the days of the curve, raised by
    ``1 + days / recent_days`` since the recent days differ from the curve as its own days do.

    Args:
        values: of the known labels: the label, or the loss.
        ages: how old their predictions are, as a share of the window from 0 to 1.
        classes: the curve of each label; all 0 with one curve.
        curves: by class.
        recent_days: how many days the predictions were made on.
    """
    by_class = len(curves) > 1
    why = _no_curve(curves)
    if why:
        return Corrected(None, 0.0, why, by_class)
    old = np.min([curve.known_by(ages) for curve in curves], axis=0) >= MIN_KNOWN
    values, ages, classes = values[old], ages[old], classes[old]
    weights = _weights(ages, classes, curves)
    effective = float(weights.sum() ** 2 / (weights**2).sum()) if len(weights) else 0.0
    if effective < MIN_EFFECTIVE:
        return Corrected(None, effective, f"the effective sample size is {effective:.0f} of {MIN_EFFECTIVE}", by_class)
    mean = _weighted(values, weights)
    sampling = float((weights**2) @ (values - mean) ** 2 / weights.sum() ** 2)
    others = ([curve.without(day) for curve in curves] for day in range(len(curves[0].days)))
    left_out = [_weighted(values, _weights(ages, classes, other)) for other in others]
    return Corrected(Estimate(mean, sampling + _curve_variance(left_out, recent_days)), effective, "", by_class)


def corrected_share(reported: Floats, asked: Floats, curve: MaturityCurve, recent_days: int) -> Corrected:
    """The share of recent predictions that will have a report, where silence means that there is none.

    It is ``sum(1 / G(age)) / asked`` over the reports known already: nobody knows yet which of the silent ones stay so.

    Args:
        reported: the ages of the predictions with a report, as shares of the window.
        asked: the ages of all predictions, with or without one.
        curve: of reports.
        recent_days: how many days the predictions were made on.
    """
    why = _no_curve([curve])
    if why:
        return Corrected(None, 0.0, why)
    reported, asked = (ages[curve.known_by(ages) >= MIN_KNOWN] for ages in (reported, asked))
    weights = 1 / curve.known_by(reported)
    effective = float(weights.sum() ** 2 / (weights**2).sum()) if len(weights) else 0.0
    if effective < MIN_EFFECTIVE:
        return Corrected(None, effective, f"the effective sample size is {effective:.0f} of {MIN_EFFECTIVE}")
    share = float(weights.sum() / len(asked))
    sampling = float((weights**2).sum() / len(asked) ** 2 - share**2 / len(asked))
    left_out = [float((1 / curve.without(day).known_by(reported)).sum() / len(asked)) for day in range(len(curve.days))]
    return Corrected(Estimate(share, max(sampling, 0.0) + _curve_variance(left_out, recent_days)), effective)


def _no_curve(curves: Sequence[MaturityCurve]) -> str:
    days = min((len(curve.days) for curve in curves), default=0)
    if days < MIN_CURVE_DAYS:
        return f"the delay curve has {days} settled days of {MIN_CURVE_DAYS}"
    if (
        min(int(np.delete(curve.days, curve.days.sum(axis=1).argmax(), axis=0).sum()) for curve in curves)
        < MIN_EFFECTIVE
    ):
        return f"the delay curve of a class has fewer than {MIN_EFFECTIVE} labels outside its largest day"
    return ""


def _weights(ages: Floats, classes: Ints, curves: Sequence[MaturityCurve]) -> Floats:
    known = np.stack([curve.known_by(ages) for curve in curves])[classes, np.arange(len(ages))]
    weights: Floats = 1 / np.maximum(known, MIN_KNOWN / 2)
    return weights


def _weighted(values: Floats, weights: Floats) -> float:
    return float(weights @ values / weights.sum())


def _curve_variance(left_out: Sequence[float], recent_days: int) -> float:
    """The jackknife's variance of a mean over days, and that of ``recent_days`` new days around it."""
    days = len(left_out)
    jackknife = (days - 1) / days * float(np.square(np.array(left_out) - np.mean(left_out)).sum())
    return jackknife * (1 + days / max(recent_days, 1))


def curve_figures(curves: Mapping[str, MaturityCurve], hours: float) -> Mapping[str, Mapping[str, float]]:
    """After how many hours a half, nine tenths and 99 of 100 labels are known, by class."""
    at = np.linspace(0, 1, 10 * DELAY_BINS + 1)
    found = {}
    for name, curve in curves.items():
        if curve.labels:
            places = np.searchsorted(curve.known_by(at), [0.5, 0.9, 0.99]).clip(0, len(at) - 1)
            found[name] = dict(zip(("p50", "p90", "p99"), (at[places] * hours).round(3).tolist(), strict=True))
    return found
