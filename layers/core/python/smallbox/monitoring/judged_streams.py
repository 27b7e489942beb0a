"""Judges the streams of a version: slices by themselves, and all others by themselves, within one budget."""

from dataclasses import replace
from typing import Final

from smallbox.arrays import Bools, np
from smallbox.monitoring.slice_findings import is_slice
from smallbox.statistics.change_detector import DayVerdict, DetectorRule, detect
from smallbox.statistics.day_streams import DayStreams

OF_SLICES: Final = 0.25
"""The part of the budget of false alarms that the slices have."""


def judged_streams(history: DayStreams, days_per_false_alarm: float) -> list[DayVerdict]:
    """The verdict of each day.

    A slice that rings must not make the others start anew, and silence them. So each has a part of the budget.

    Args:
        history: the streams of both.
        days_per_false_alarm: that of both together.
    """
    slices = np.array([is_slice(name) for name in history.names], bool)
    if not slices.any():
        return detect(history, DetectorRule(days_per_false_alarm))
    others = detect(_only(history, ~slices), DetectorRule(days_per_false_alarm / (1 - OF_SLICES)))
    sliced = detect(_only(history, slices), DetectorRule(days_per_false_alarm / OF_SLICES))
    return [_both(*day) for day in zip(others, sliced, strict=True)]


def _both(others: DayVerdict, slices: DayVerdict) -> DayVerdict:
    """One verdict of a day; a slice that is odd on one day is no blip: nothing in the inputs need be wrong."""
    return replace(
        others,
        is_alarm=others.is_alarm or slices.is_alarm,
        moved=(*others.moved, *slices.moved),
        learning={**others.learning, **slices.learning},
        relearning=(*others.relearning, *slices.relearning),
    )


def _only(history: DayStreams, kept: Bools) -> DayStreams:
    """Some of the streams."""
    weights = None if history.weights is None else history.weights[kept]
    variances = None if history.variances is None else history.variances[:, kept]
    names = [name for name, is_kept in zip(history.names, kept, strict=True) if is_kept]
    return replace(history, names=names, values=history.values[:, kept], variances=variances, weights=weights)
