"""What a day was expected to be, from the days before it: weekday means, yesterday's share, the usual spread."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from smallbox.arrays import Bools, Floats

_WEEK: Final = 7
_CLIP: Final = 3.0
"""A day teaches at most this many spreads: one bad day does not spoil the reference."""
_POOL_DAYS: Final = 20.0
"""How many days of its own weigh as much as the coefficient of all streams together."""
_COEFFICIENTS: Final = (-0.5, 0.95)
_FEWEST_DAYS: Final = 4
"""With no more days a spread is none."""
_LONGEST_GAP: Final = 7
"""Days after which the last value says nothing any more."""
_NEW_LEVEL_WEIGHT: Final = 2.0
"""How many days a weekday's mean counts for after its level was moved."""
_HEAVIEST_DAY: Final = 0.25
"""A day weighs at most as four usual ones: its sampling variance is an estimate too."""
_WIDEST: Final = 25.0
_NEVER: Final = -1_000_000
_TINY: Final = 1e-9
_LEAST: Final = 1e-30


@dataclass(frozen=True, slots=True)
class ObservedDay:
    """The values of one day; arrays of one number a stream.

    Attributes:
        day: days since 1970-01-01.
        values: any number where not known.
        variances: their sampling variances; 0 when unknown.
        known: which values count.
    """

    day: int
    values: Floats
    variances: Floats
    known: Bools


@dataclass(frozen=True, slots=True)
class DayResiduals:
    """How far the values of one day lie from their forecasts; arrays of one number a stream.

    Attributes:
        raw: value minus forecast.
        spread: the standard deviation that was expected of it.
        relative: the variance of the day relative to a usual one: above 1 for a day with few rows.
        gap: value minus weekday mean.
        mean_variance: the variance of the weekday's mean, in units of a usual day's.
        degrees: the degrees of freedom of the spread.
        can_tell: which streams have a forecast for this weekday.
    """

    raw: Floats
    spread: Floats
    relative: Floats
    gap: Floats
    mean_variance: Floats
    degrees: Floats
    can_tell: Bools


class Forecaster:
    """Learns the usual course of each stream day by day, all streams at once.

    It regresses a value on that of the last observed day, with a mean for each weekday; older days weigh less. Spreads
    come from recursive residuals (Brown, Durbin, Evans, JRSS-B 37, 1975). Where sampling variances are given, the
    variance of a day is a part between days plus its own sampling variance, by moments (Paule and Mandel, Journal of
    Research of the NBS 87, 1982), and a day weighs by the inverse.

    Args:
        streams: how many.
        half_life: days after which a day weighs half.
    """

    def __init__(self, streams: int, half_life: float) -> None:
        self.coefficient = np.zeros(streams)
        self._decay = 0.5 ** (1 / half_life)
        self._weight, self._squares = np.zeros((_WEEK, streams)), np.zeros((_WEEK, streams))
        self._mean, self._lag_mean = np.zeros((_WEEK, streams)), np.zeros((_WEEK, streams))
        self._days, self._days_squared = np.zeros(streams), np.zeros(streams)
        self._taught, self._precision = np.zeros(streams), np.zeros(streams)
        self._products = np.zeros((3, streams))
        self._between = np.zeros(streams)
        self._last, self._last_clipped, self._last_variance = (np.zeros(streams) for _ in range(3))
        self._last_day = np.full(streams, _NEVER)

    @property
    def degrees(self) -> Floats:
        """The degrees of freedom of each spread: of how many equal days it is."""
        degrees: Floats = self._days**2 / np.maximum(self._days_squared, _TINY)
        return degrees

    def spreads(self) -> Floats:
        """The standard deviation of a usual day about its forecast."""
        spreads: Floats = np.sqrt(self._usual_variance())
        return spreads

    def _usual_variance(self) -> Floats:
        own, cross, lag = self._products
        total = own - self.coefficient * (2 * cross - self.coefficient * lag)
        return np.maximum(total, 0.0) / np.maximum(self._days, _TINY)

    def daily_spreads(self) -> Floats:
        """The standard deviation of a usual day about its weekday mean."""
        spreads: Floats = self.spreads() / np.sqrt(1 - self.coefficient**2)
        return spreads

    def pass_days(self, days: int) -> None:
        """Let what was learnt grow older."""
        factor = self._decay**days
        self._weight *= factor
        self._days *= factor
        self._taught *= factor
        self._precision *= factor
        self._products *= factor
        self._squares *= factor**2
        self._days_squared *= factor**2

    def residuals(self, seen: ObservedDay) -> DayResiduals:
        """Compare a day with its forecast, before it teaches."""
        weekday, degrees = seen.day % _WEEK, self.degrees
        is_near = seen.day - self._last_day <= _LONGEST_GAP
        gap, mean_variance = seen.values - self._mean[weekday], self._mean_variance(weekday)
        variance, relative = self._variances(seen, is_near, mean_variance)
        spread = np.sqrt(variance + (_TINY * self._mean[weekday]) ** 2 + _LEAST)
        can_tell = seen.known & (self._weight[weekday] > 0) & (degrees > _FEWEST_DAYS)
        raw = self._raw(weekday, gap, is_near)
        return DayResiduals(raw, spread, relative, gap, mean_variance, degrees, can_tell)

    def _raw(self, weekday: int, gap: Floats, is_near: Bools) -> Floats:
        """The gap less yesterday's share of it; after an outlier the milder of two forecasts, with and without it."""
        share = np.where(is_near, self.coefficient, 0.0)
        whole = gap - share * (self._last - self._lag_mean[weekday])
        clipped = gap - share * (self._last_clipped - self._lag_mean[weekday])
        milder: Floats = np.where(np.abs(whole) < np.abs(clipped), whole, clipped)
        return milder

    def _variances(self, seen: ObservedDay, is_near: Bools, mean_variance: Floats) -> tuple[Floats, Floats]:
        """The variance of a day's residual, and how it compares with that of a usual day."""
        usual, squared = self._usual(), self.coefficient**2
        known = np.where(seen.variances > 0, seen.variances, usual / (1 + squared))
        sampling = known + squared * np.where(is_near & (self._last_variance > 0), self._last_variance, known)
        relative = np.where(usual > 0, (self._between + sampling) / np.maximum(self._between + usual, _LEAST), 1.0)
        relative = np.maximum(relative, _HEAVIEST_DAY)
        relative = np.where(is_near, relative, relative / (1 - squared))
        usual_variance = self._usual_variance()
        return np.maximum(usual_variance * relative, sampling) + usual_variance * mean_variance, relative

    def _usual(self) -> Floats:
        """The sampling variance of a usual residual: the harmonic mean over days; 0 where it is not known."""
        mean = np.where(self._precision > 0, self._taught / np.maximum(self._precision, _LEAST), 0.0)
        usual: Floats = mean * (1 + self.coefficient**2)
        return usual

    def _mean_variance(self, weekday: int) -> Floats:
        """The variance of a weekday's mean, in units of a usual day's; 1 before the first."""
        weight = self._weight[weekday]
        return np.where(weight > 0, self._squares[weekday] / np.maximum(weight, _TINY) ** 2, 1.0)

    def learn(self, seen: ObservedDay, found: DayResiduals, is_taught: Bools) -> None:
        """Let a day teach the streams that are marked; its residual counts up to three spreads."""
        limit = _CLIP * found.spread
        excess = np.where(found.can_tell, found.raw - np.clip(found.raw, -limit, limit), 0.0)
        clipped = seen.values - excess
        is_paired = is_taught & (seen.day - self._last_day <= _LONGEST_GAP)
        trust = np.where(is_paired, 1 / np.maximum(found.relative, _TINY), 0.0)
        counts = is_paired & (self._weight[seen.day % _WEEK] > 0)
        self._days += counts
        self._days_squared += counts
        self._taught += is_taught & (seen.variances > 0)
        self._precision += np.where(is_taught & (seen.variances > 0), 1 / np.maximum(seen.variances, _LEAST), 0.0)
        self._add_pair(seen.day % _WEEK, clipped, trust, found.mean_variance)
        for kept, new in (
            (self._last, seen.values),
            (self._last_clipped, clipped),
            (self._last_variance, seen.variances),
        ):
            np.copyto(kept, new, where=is_taught)
        self._last_day[is_taught] = seen.day

    def _add_pair(self, weekday: int, values: Floats, trust: Floats, mean_variance: Floats) -> None:
        """Add a value and the one before it to the weekday's means, and to the products about the means before."""
        weight = self._weight[weekday]
        gap, lag_gap = values - self._mean[weekday], self._last_clipped - self._lag_mean[weekday]
        unit = np.where(weight > 0, trust / (1 + mean_variance), 0.0)
        weighted = unit * gap
        self._products[0] += weighted * gap
        self._products[1] += weighted * lag_gap
        self._products[2] += unit * lag_gap * lag_gap
        step = trust / np.maximum(weight + trust, _TINY)
        self._mean[weekday] += step * gap
        self._lag_mean[weekday] += step * lag_gap
        self._weight[weekday] += trust
        self._squares[weekday] += trust * trust

    def refit(self) -> None:
        """Take each stream's coefficient and between-day variance anew from what was learnt.

        A coefficient is corrected for its bias in short series, ``(1 + 3c) / n`` (Kendall, Biometrika 41, 1954), and
        shrunk towards that of all streams.
        """
        _, cross, lag = self._products
        rows = np.maximum(self.degrees, 1.0)
        own = np.where(lag > 0, cross / np.maximum(lag, _LEAST), 0.0)
        own = np.clip(own + (1 + 3 * own) / rows, *_COEFFICIENTS)
        varies = lag > 0
        together = float((own * rows)[varies].sum() / max(rows[varies].sum(), 1.0))
        self.coefficient = np.clip((rows * own + _POOL_DAYS * together) / (rows + _POOL_DAYS), *_COEFFICIENTS)
        self._between = np.maximum(self._usual_variance() - self._usual(), 0.0)

    def move_levels(self, week: Sequence[ObservedDay], is_moved: Bools) -> None:
        """Take the last days as the new level of the streams that moved; their weekday pattern stays.

        Where the days spread wider than before, so does the stream from now on.
        """
        gaps = np.array([np.where(one.known, one.values - self._mean[one.day % _WEEK], np.nan) for one in week])
        count = np.isfinite(gaps).sum(axis=0)
        is_moved = is_moved & (count > 1)
        level = np.nansum(gaps, axis=0) / np.maximum(count, 1)
        squares = np.nansum((gaps - level) ** 2, axis=0) / np.maximum(count - 1, 1)
        wider = np.clip(squares / np.maximum(self.daily_spreads() ** 2, _LEAST), 1.0, _WIDEST)
        self._products *= np.where(is_moved, wider, 1.0)
        self._mean += np.where(is_moved, level, 0.0)
        self._lag_mean += np.where(is_moved, level, 0.0)
        self._forget_weights(is_moved)
        for one in week:
            self.learn(one, self.residuals(one), is_moved & one.known)

    def _forget_weights(self, is_moved: Bools) -> None:
        """Let the means of the streams that moved count as those of few days."""
        factor = np.where(is_moved, np.minimum(_NEW_LEVEL_WEIGHT / np.maximum(self._weight, _TINY), 1.0), 1.0)
        self._squares *= factor
        self._weight *= factor
        self._last_day[is_moved] = _NEVER
