"""How far each stream lies from its reference now: a distance to read, without an alarm."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from smallbox.arrays import Floats
from smallbox.statistics.day_streams import DayStreams
from smallbox.statistics.intervals import Interval, student_quantile

_FEWEST: Final = 3


@dataclass(frozen=True, slots=True)
class StreamDistance:
    """How far the mean of the last days lies from that of the reference's days.

    Attributes:
        name: the stream.
        raw: the difference in the stream's own unit, with bounds.
        daily: the same in standard deviations of a day of the reference; NaN when its days do not differ.
    """

    name: str
    raw: Interval
    daily: Interval


def distances(history: DayStreams, reference_until: int, last_days: int = 7) -> list[StreamDistance]:
    """The distance of each stream from its reference; streams with fewer than three days on a side are left away.

    The variance is that of the days, whatever their rows, times ``(1 + r) / (1 - r)`` for the correlation ``r`` of
    neighbouring days of the reference. The bounds are quantiles of Student's t, each one-sided at 95 %.

    Args:
        history: the days; those left out do not count.
        reference_until: the last day of the reference, days since 1970-01-01.
        last_days: how many days, counted back from the last of the history, are "now".
    """
    days, known = np.array(history.days), history.known()
    is_reference = days <= reference_until
    is_now = ~is_reference & (days > (days[-1] if len(days) else 0) - last_days)
    found = []
    for at, name in enumerate(history.names):
        reference, now = (history.values[known[:, at] & rows, at] for rows in (is_reference, is_now))
        if min(len(reference), len(now)) >= _FEWEST:
            found.append(_distance(name, reference, now))
    return found


def _distance(name: str, reference: Floats, now: Floats) -> StreamDistance:
    spread = float(reference.std(ddof=1))
    gap = float(now.mean() - reference.mean())
    gaps = reference - reference.mean()
    own = float(np.clip((gaps[1:] @ gaps[:-1]) / max(float(gaps @ gaps), 1e-300), 0.0, 0.9))
    error = spread * float(np.sqrt((1 / len(now) + 1 / len(reference)) * (1 + own) / (1 - own)))
    width = student_quantile(len(reference) - 1) * error
    ends = np.array([gap, gap - width, gap + width])
    in_days = ends / spread if spread else np.full(3, np.nan)
    return StreamDistance(name, Interval(*ends.tolist()), Interval(*in_days.tolist()))
