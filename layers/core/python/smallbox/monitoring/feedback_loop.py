"""Degenerate feedback loops: the model narrows what is shown, and exploration says that this is not earned."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import pyarrow as pa

from smallbox.arrays import Array, Bools, Floats, np
from smallbox.define.model import Model
from smallbox.define.rules import Loop
from smallbox.monitoring.findings import Finding
from smallbox.statistics.estimates import Estimate, difference, mean_estimate
from smallbox.statistics.exposure import exposure_lift, forgone_share, gini, repeat_rate, shown_share
from smallbox.statistics.intervals import student_quantile
from smallbox.table_columns import GROUP, OUTPUT

BEFORE_DAYS: Final = 7
RECENT_DAYS: Final = 7
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
    """

    items: tuple[str, ...]
    shown: Floats
    explored: Floats
    gained: Floats


@dataclass(frozen=True, slots=True)
class LoopReading:
    """What the days say of a loop.

    Attributes:
        verdict: ``loop``; ``none``: exposure has not surely narrowed, or surely does not lack merit; ``cannot tell``:
            it narrowed, or too few days, and exploration cannot say whether that is earned.
        narrowed: rise of the logarithm of the repeat rate, the recent days against the first ones.
        forgone: what the same concentration would earn more on the items that exploration finds best, as a share.
        lift: what the shift of exposure adds to the rate that exploration measures.
        gini: of the recent days.
        covered: share of the catalogue shown on the recent days.
    """

    verdict: Literal["loop", "none", "cannot tell"]
    narrowed: Estimate
    forgone: Estimate
    lift: Estimate
    gini: float
    covered: float


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
    has_days = len(seen.shown) >= BEFORE_DAYS + RECENT_DAYS
    narrowed = difference(_log_repeats(recent), _log_repeats(before))
    lift = exposure_lift(_shares(totals), _shares(before.sum(0)), seen.explored, seen.gained)
    forgone = forgone_share(_shares(totals), seen.explored, seen.gained)
    rise, forgoes = (student_quantile(days - 1, 1 - error) for days in (RECENT_DAYS, max(2, len(seen.shown) // 2)))
    verdict: Literal["loop", "none", "cannot tell"] = "cannot tell"
    if has_days and not narrowed.value - rise * narrowed.standard_error > 0:
        verdict = "none"
    elif has_days and _can_tell(seen) and not math.isnan(forgone.standard_error):
        verdict = "loop" if forgone.value - forgoes * forgone.standard_error > max_forgone else "none"
    return LoopReading(verdict, narrowed, forgone, lift, gini(totals), shown_share(totals))


def _can_tell(seen: Exposures) -> bool:
    return bool(seen.explored.sum() >= MIN_EXPLORED and seen.gained.sum() >= MIN_GAINED)


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
    counts = np.zeros((3, len(days), len(items)))
    for at, day in enumerate(columns):
        codes = np.array([place.get(str(item), -1) for item in day[loop.item]], int)
        explored = np.array([bool(one) for one in day[loop.explored]], bool) & (codes >= 0)
        labelled = explored & np.array([one is not None for one in day[label]], bool)
        chosen = _shown_rows(loop, day) & ~explored & (codes >= 0)
        np.add.at(counts[0, at], codes[chosen], 1)
        np.add.at(counts[1, at], codes[labelled], 1)
        np.add.at(counts[2, at], codes[labelled], day[label][labelled].astype(float))
    return Exposures(items, *counts)


def _shown_rows(loop: Loop, day: Mapping[str, Array]) -> Bools:
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


def loop_findings(model: Model, rows_by_day: Mapping[str, pa.Table]) -> Sequence[Finding]:
    """The finding of a loop, from the labelled rows of the log since the champion serves; none without ``Loop``.

    Args:
        model: its ``monitor.loop`` says which columns are meant.
        rows_by_day: by day, rows with the columns of the loop, ``score``, ``group`` of a ranking, and the label's.
    """
    loop = model.monitor.loop
    if loop is None or not rows_by_day:
        return []
    days = [rows_by_day[day] for day in sorted(rows_by_day)]
    seen = exposures_of(loop, days, model.objective.label_column)
    return reading_findings(loop, loop_reading(seen, loop.max_forgone, 1 / model.monitor.days_per_false_alarm))


def reading_findings(loop: Loop, reading: LoopReading) -> Sequence[Finding]:
    """The reading in words: an incident for a loop, a notice where exposure narrowed and nobody can say why."""
    times = math.exp(reading.narrowed.value)
    evidence = {"concentration": times, "gini": reading.gini, "coverage": reading.covered, "lift": reading.lift.value}
    evidence |= {"forgone": reading.forgone.value}
    evidence = {name: value for name, value in evidence.items() if not math.isnan(value)}
    seen = (
        f"Two answers show the same {loop.item} {times:.1f} times as often as at first; {reading.covered:.0%} of them"
    )
    if reading.verdict == "loop":
        sentence = (
            f"{seen} of them are still shown. By the rows shown at random, others in their place would earn "
            f"{reading.forgone.value:+.0%}, more than {loop.max_forgone:+.0%}: the model follows its own clicks."
        )
        return [Finding("feedback_loop", loop.item, "incident", sentence, "roll back", evidence=evidence)]
    if reading.verdict == "cannot tell" and times > 1:
        sentence = f"{seen} of them are still shown. Too few days or rows shown at random say whether that is earned."
        return [Finding("feedback_loop", loop.item, "notice", sentence, "nothing", evidence=evidence)]
    return []
