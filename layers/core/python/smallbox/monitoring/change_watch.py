"""Finds lasting changes of what a version is served, day by day, within the stated number of false alarms."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from smallbox.arrays import np
from smallbox.define.model import Model
from smallbox.monitoring.change_history import ChangeHistory
from smallbox.monitoring.judged_streams import judged_streams
from smallbox.monitoring.stream_weights import stream_weights
from smallbox.ports import Blobs
from smallbox.profiles.column_pairs import stream_columns
from smallbox.profiles.stored import ReferenceDays
from smallbox.records import Channel
from smallbox.registry.version import Version
from smallbox.statistics.change_detector import DayVerdict
from smallbox.statistics.day_distance import StreamDistance, distances
from smallbox.statistics.day_streams import DayStreams, DayValue
from smallbox.times import DAY

MOST_DISTANCES: Final = 20
"""Most streams of a channel whose distance a report shows."""


class ChangeWatch:
    """Keeps the numbers of each day, and judges the newest."""

    def __init__(self, blobs: Blobs) -> None:
        self._history = ChangeHistory(blobs)

    def judge(
        self,
        model: Model,
        champion: Version,
        channel: Channel,
        day: int,
        numbers: Mapping[str, DayValue],
        reference: ReferenceDays | None = None,
    ) -> DayVerdict:
        """Add a day and say whether a lasting change rings on it. The same day again gives the same verdict.

        Args:
            model: its ``Monitor`` says how many false alarms are acceptable, which columns may move, and which
                days are left out.
            champion: the version whose history it is.
            channel: the channel of the predictions.
            day: days since 1970-01-01.
            numbers: of each stream, named ``<column>:<what>``.
            reference: the champion's: the days before the first, and what is important; ``None``: there is none.
        """
        history = self._history.add(champion, channel, day, numbers, reference)
        watched = _watched(history, model.monitor.expected_drift)
        weights = stream_weights(watched.names, {} if reference is None else reference.importance)
        declared = replace(watched, weights=weights if len(weights) else None, left_out=model.monitor.left_out_days)
        return judged_streams(declared, model.monitor.days_per_false_alarm)[-1]

    def distances(
        self, model: Model, champion: Version, channel: Channel, day: int, reference: ReferenceDays | None
    ) -> list[StreamDistance]:
        """How far the last week up to a judged day lies from the days of the champion's training, the farthest first.

        It answers another question than an alarm: a lasting change rings once, and stays a distance until a version is
        trained on it. At most :data:`MOST_DISTANCES` streams; none for a version without a reference by day.
        """
        if reference is None or not reference.days:
            return []
        history = replace(self._history.until(champion, channel, day), left_out=model.monitor.left_out_days)
        found = [one for one in distances(history, max(reference.days) // DAY) if np.isfinite(one.daily.value)]
        return sorted(found, key=lambda one: -abs(one.daily.value))[:MOST_DISTANCES]


def _watched(history: DayStreams, expected: Sequence[str]) -> DayStreams:
    """Without the streams of columns that are expected to move, and of pairs with one."""
    kept = [at for at, name in enumerate(history.names) if not set(stream_columns(name)) & set(expected)]
    variances = None if history.variances is None else history.variances[:, kept]
    names = [history.names[at] for at in kept]
    return replace(history, names=names, values=history.values[:, np.array(kept, int)], variances=variances)
