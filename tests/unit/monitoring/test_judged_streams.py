"""Proves that slices are judged beside all other streams: neither takes evidence from the other."""

from dataclasses import replace

import numpy as np

from smallbox.monitoring.judged_streams import judged_streams
from smallbox.statistics.change_detector import DetectorRule, detect
from smallbox.statistics.day_streams import DayStreams

NAMES = ["weight:location", "loss:mean", "loss:depot=a", "loss:depot=b"]
DAYS = 70


def _streams() -> DayStreams:
    """Noise by day; the loss of one slice lies higher from day 40 on, the mean of all from day 44 on."""
    values = np.random.default_rng(0).normal(0, 1, (DAYS, len(NAMES)))
    values[40:, 2] += 4
    values[44:, 1] += 4
    return DayStreams(range(DAYS), NAMES, values)


def test_a_slice_that_rings_silences_nothing_else() -> None:
    """The slice is named on its days; the mean loss has the verdicts that it has without slices, in its own budget."""
    streams = _streams()
    others = replace(streams, names=NAMES[:2], values=streams.values[:, :2])
    alone = detect(others, DetectorRule(days_per_false_alarm=120))
    found = judged_streams(streams, 90)
    first = next(one for one in found if one.is_alarm)
    assert (first.day < 44, first.moved[0].name) == (True, "loss:depot=a")
    assert [one.evidence for one in found] == [one.evidence for one in alone]
    assert [tuple(m.name for m in one.moved if "=" not in m.name) for one in found] == [
        tuple(m.name for m in one.moved) for one in alone
    ]
    assert any(one.is_alarm for one in alone)


def test_without_slices_the_whole_budget_is_that_of_the_others() -> None:
    """Nothing is put aside for slices that are not there."""
    streams = _streams()
    others = replace(streams, names=NAMES[:2], values=streams.values[:, :2])
    assert judged_streams(others, 90) == detect(others, DetectorRule(days_per_false_alarm=90))
