"""Whether a stream that moved is where it was in the same season a year ago: then the season explains it."""

from typing import Final

import numpy as np

from smallbox.arrays import Bools
from smallbox.statistics.change_evidence import MovedStream
from smallbox.statistics.day_streams import DayStreams

_YEAR: Final = 364
"""52 weeks, so that weekdays meet weekdays."""
_AROUND: Final = 7
"""Days before and after the dates of the change that count as the same season."""
_FEWEST: Final = 10
_NEAR: Final = 0.5
"""How far a level may lie from that of the season, as a share of how far it lies from the recent usual."""


def is_of_the_season(history: DayStreams, moved: MovedStream, day: int) -> bool:
    """Whether the level since a change lies at most half as far from last year's season as from the recent usual.

    A stream without a season was last year where it is usually, so nothing explains its change. The answer is no where
    the history has fewer than ten days of that season.

    Args:
        history: all days; those left out do not count.
        moved: a stream with an alarm.
        day: the day of the alarm.
    """
    days, at = np.array(history.days), list(history.names).index(moved.name)
    known = history.known()[:, at]

    def between(first: int, last: int) -> Bools:
        inside: Bools = known & (days >= first) & (days <= last)
        return inside

    now = between(moved.since, day)
    then = between(moved.since - _YEAR - _AROUND, day - _YEAR + _AROUND)
    if not now.any() or then.sum() < _FEWEST:
        return False
    values = history.values[:, at]
    return abs(float(values[now].mean() - values[then].mean())) <= _NEAR * abs(moved.raw)
