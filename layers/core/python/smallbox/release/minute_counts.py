"""Marks of requests as counters of a minute, and the counters since a step began as the counts of both arms. Pure."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import numpy as np

from smallbox.arrays import Floats
from smallbox.release.canary_marks import CLUSTERS, CanaryMark
from smallbox.release.harm_counts import COUNTED, ArmCounts
from smallbox.times import MINUTE, Micros

ARMS: Final = ("champion", "challenger")
EDGES: Final = (5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)
"""Milliseconds up to which answers are counted together; longer ones count with the last."""

MinuteCounters = Mapping[str, int]
"""The counters of a minute by name: ``challenger.failed.17`` of a cluster, ``challenger.ms.200`` of a time."""

_NINETY_NINE: Final = 0.99


def counters_of(marks: Iterable[CanaryMark], slow_after: Micros) -> dict[tuple[int, Micros], MinuteCounters]:
    """The counters that marks add, by challenger and by the minute's first moment.

    Args:
        marks: of one model.
        slow_after: when an answer is late, microseconds.
    """
    found: dict[tuple[int, Micros], Counter[str]] = {}
    for mark in marks:
        minute = found.setdefault((mark.challenger, mark.at // MINUTE * MINUTE), Counter())
        happened = {"failed": mark.failed, "slow": mark.is_late(slow_after), "fallback": mark.fallback}
        for figure, is_so in {"asked": True, **happened, "missing": mark.missing}.items():
            if is_so:
                minute[f"{mark.arm}.{figure}.{mark.cluster}"] += 1
        if not mark.failed:
            minute[f"{mark.arm}.ms.{_edge(mark.milliseconds)}"] += 1
    return {at: dict(counts) for at, counts in found.items()}


def trouble_of_challenger(counters: MinuteCounters) -> int:
    """How often the challenger's requests failed, were late, fell back or missed features."""
    trouble = tuple(f"challenger.{figure}." for figure in COUNTED[1:])
    return sum(count for name, count in counters.items() if name.startswith(trouble))


def arm_counts(minutes: Sequence[MinuteCounters]) -> ArmCounts:
    """The counts of both arms, from the counters of minutes, oldest first."""
    both = np.zeros((len(minutes), CLUSTERS, len(ARMS), len(COUNTED)))
    times = np.zeros((len(ARMS), len(EDGES)))
    for minute, counters in enumerate(minutes):
        for name, count in counters.items():
            arm, figure, at = name.split(".")
            if figure == "ms":
                times[ARMS.index(arm), EDGES.index(int(at))] += count
            else:
                both[minute, int(at), ARMS.index(arm), COUNTED.index(figure)] += count
    return ArmCounts(both.sum(axis=1), both.sum(axis=0), (_p99(times[0]), _p99(times[1])))


def _edge(milliseconds: float) -> int:
    return EDGES[min(bisect_left(EDGES, milliseconds), len(EDGES) - 1)]


def _p99(times: Floats) -> float | None:
    """The time below which 99 % of the answers are, as the next larger edge; ``None`` without answers."""
    if not times.any():
        return None
    return float(EDGES[int(np.searchsorted(times.cumsum(), _NINETY_NINE * times.sum()))])
