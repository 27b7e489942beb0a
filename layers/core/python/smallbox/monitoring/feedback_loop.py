"""Degenerate feedback loops: the model narrows what is shown, and exploration says that this is not earned."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import pyarrow as pa

from smallbox.arrays import Array, Bools, Floats, np
from smallbox.define.rules import Loop, Monitor
from smallbox.monitoring.findings import Finding
from smallbox.statistics.estimates import Estimate, difference, mean_estimate, none_if_nan
from smallbox.statistics.exposure import Forgone, exposure_lift, forgone, gini, repeat_rate, shown_share, top_share
from smallbox.statistics.intervals import student_quantile
from smallbox.table_columns import GROUP, OUTPUT

BEFORE_DAYS: Final = 7
RECENT_DAYS: Final = 7
MIN_LOOP_DAYS: Final = BEFORE_DAYS + RECENT_DAYS
MIN_EXPLORED: Final = 500
MIN_GAINED: Final = 50
"""Exploration needs as many rows, and as large a sum of labels, before it says anything."""


@dataclass(frozen=True, slots=True)
class Exposures:
    """What was shown on days that follow each other.

    Attributes:
        items: the catalogue: all items that were candidates.
        shown: exposures that the model chose, (days, items).
        explored: exposures chosen at random, (days, items); only those whose label is known.
        gained: the labels of the explored exposures added up, (days, items).
        judged: the shown exposures whose label is known, (days, items).
        earned: the labels of these added up, (days, items).
    """

    items: tuple[str, ...]
    shown: Floats
    explored: Floats
    gained: Floats
    judged: Floats
    earned: Floats


@dataclass(frozen=True, slots=True)
class LoopReading:
    """What the days say of a loop.

    Attributes:
        verdict: ``loop``; ``none``: exposure has not surely narrowed, or surely does not lack merit; ``cannot tell``:
            it narrowed, or too few days, and exploration cannot say whether that is earned.
        wanting: what there is too little of to tell merit, each in words; empty when there is enough.
        narrowed: rise of the logarithm of the repeat rate, the recent days against the first ones.
        forgone: what no more concentration would earn more on the items that look best, as a share; NaN when unknown.
        lift: what the shift of exposure adds to the rate that exploration measures.
        gini: of the recent days.
        top: the share of the exposures of the recent days that the most shown tenth of the catalogue has.
        covered: share of the catalogue shown on the recent days.
    """

    verdict: Literal["loop", "none", "cannot tell"]
    wanting: tuple[str, ...]
    narrowed: Estimate
    forgone: float
    lift: Estimate
    gini: float
    top: float
    covered: float

    def as_json(self) -> dict[str, Any]:
        """The verdict and its figures; ``None`` for what is unknown. ``concentration`` is a ratio to the first days."""
        figures = {"concentration": math.exp(self.narrowed.value), "gini": self.gini, "top": self.top}
        figures |= {"coverage": self.covered, "lift": self.lift.value, "forgone": self.forgone}
        return {"verdict": self.verdict, **{name: none_if_nan(value) for name, value in figures.items()}}


def loop_reading(seen: Exposures, max_forgone: float, error: float) -> LoopReading:
    """Whether exposure narrowed without merit; rings only where both tests reject at the level ``error``.

    A false alarm needs that exposure did not narrow, or that the shown items forgo at most ``max_forgone``; its
    chance on one look is about ``error`` (intersection-union test: Berger, Technometrics 24, 1982), so over T looks
    about ``T * error`` are expected at most. About, because the bounds are quantiles of Student's t distribution over
    days that are taken as independent.

    Args:
        seen: all days since the model serves; the first ones are the reference.
        max_forgone: the share of the rate that a narrower exposure may forgo.
        error: the level of one look.
    """
    before, recent = seen.shown[:BEFORE_DAYS], seen.shown[-RECENT_DAYS:]
    totals = recent.sum(0)
    narrowed = difference(_log_repeats(recent), _log_repeats(before))
    lift = exposure_lift(_shares(totals), _shares(before.sum(0)), seen.explored, seen.gained)
    better = forgone(_shares(totals), seen.explored, seen.gained, seen.judged, seen.earned)
    wanting = _wanting(seen)
    verdict: Literal["loop", "none", "cannot tell"] = "cannot tell"
    if len(seen.shown) >= MIN_LOOP_DAYS:
        if not narrowed.value - student_quantile(RECENT_DAYS - 1, 1 - error) * narrowed.standard_error > 0:
            verdict = "none"
        elif not wanting:
            verdict = "loop" if is_unearned(better, max_forgone, error) else "none"
    figures = gini(totals), top_share(totals), shown_share(totals)
    return LoopReading(verdict, wanting, narrowed, better.share, lift, *figures)


def is_unearned(better: Forgone, max_forgone: float, error: float) -> bool:
    """Whether the shown items surely forgo more than this share, at the level ``error``."""
    surplus, days = better.surplus(max_forgone), len(better.shown)
    return days > 1 and surplus.value - student_quantile(days - 1, 1 - error) * surplus.standard_error > 0


def _wanting(seen: Exposures) -> tuple[str, ...]:
    """What there is too little of."""
    needed = (
        (len(seen.shown), MIN_LOOP_DAYS, "days"),
        (seen.explored.sum(), MIN_EXPLORED, "labelled rows shown at random"),
        (seen.gained.sum(), MIN_GAINED, "as the sum of their labels"),
    )
    return tuple(f"{has:g} of {least} {what}" for has, least, what in needed if has < least)


def _shares(counts: Floats) -> Floats:
    return counts / max(1.0, float(counts.sum()))


def _log_repeats(days: Floats) -> Estimate:
    """Mean over days of the log repeat rate; a day is the unit."""
    rates = np.array([repeat_rate(day) for day in days])
    return mean_estimate(np.log(rates[rates > 0]))


def exposures_of(loop: Loop, days: Sequence[pa.Table], label: str) -> Exposures:
    """The exposures of the rows of the prediction log, one table a day, with the label joined as column ``label``.

    An explored row without a label is left out. Of a ranking, the ``shown`` rows of each group with the highest scores
    are shown.
    """
    columns = [{name: np.array(day[name].to_pylist(), object) for name in day.column_names} for day in days]
    items = tuple(sorted({str(item) for day in columns for item in day[loop.item] if item is not None}))
    place = {item: at for at, item in enumerate(items)}
    counts = np.zeros((5, len(days), len(items)))
    for at, day in enumerate(columns):
        codes = np.array([place.get(str(item), -1) for item in day[loop.item]], int)
        explored = np.array([bool(one) for one in day[loop.explored]], bool) & (codes >= 0)
        known = np.array([one is not None for one in day[label]], bool)
        chosen = shown_in_place(loop, day) & ~explored & (codes >= 0)
        np.add.at(counts[0, at], codes[chosen], 1)
        for rows, sums, own in ((1, 2, explored & known), (3, 4, chosen & known)):
            np.add.at(counts[rows, at], codes[own], 1)
            np.add.at(counts[sums, at], codes[own], day[label][own].astype(float))
    return Exposures(items, *counts)


def shown_in_place(loop: Loop, day: Mapping[str, Array]) -> Bools:
    """Which rows of a day the model's rank puts before a person."""
    shown = np.ones(len(day[loop.item]), bool)
    if loop.shown is None:
        return shown
    groups = np.unique(day[GROUP].astype(str), return_inverse=True)[1]
    scores = np.array([-math.inf if one is None else one for one in day[OUTPUT]], float)
    order = np.lexsort((-scores, groups))
    starts = np.searchsorted(groups[order], groups[order])
    shown[order] = np.arange(len(order)) - starts < loop.shown
    return shown


def read_loop(rule: Monitor, loop: Loop, rows_by_day: Mapping[str, pa.Table], label: str) -> LoopReading:
    """The reading of labelled rows of the log, since the champion serves.

    Args:
        rule: its budget of false alarms is the level of a look.
        loop: which columns are meant.
        rows_by_day: by day, rows with the columns of the loop, ``score``, ``group`` of a ranking, and the label's.
        label: the name of that column.
    """
    seen = exposures_of(loop, [rows_by_day[day] for day in sorted(rows_by_day)], label)
    return loop_reading(seen, loop.max_forgone, 1 / rule.days_per_false_alarm)


def reading_findings(loop: Loop, reading: LoopReading) -> Sequence[Finding]:
    """The reading in words: an incident for a loop, a notice where exposure narrowed and nobody can say why."""
    times = math.exp(reading.narrowed.value)
    evidence = {name: value for name, value in reading.as_json().items() if value is not None}
    seen = (
        f"Two answers show the same {loop.item} {times:.1f} times as often as at first; {reading.covered:.0%} of them"
    )
    if reading.verdict == "loop":
        sentence = (
            f"{seen} of them are still shown. By the rows shown at random, others in their place would earn "
            f"{reading.forgone:+.0%}, more than {loop.max_forgone:+.0%}: the model follows its own clicks."
        )
        return [Finding("feedback_loop", loop.item, "incident", sentence, "roll back", evidence=evidence)]
    if reading.verdict == "cannot tell" and times > 1:
        sentence = (
            f"{seen} of them are still shown. Whether that is earned cannot be told: {', '.join(reading.wanting)}."
        )
        return [Finding("feedback_loop", loop.item, "notice", sentence, "nothing", evidence=evidence)]
    return []
