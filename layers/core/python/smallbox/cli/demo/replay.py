"""A replay: records in the order in which they became known, predictions at their moment, checks day by day."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from smallbox.cli.demo.flights import Records
from smallbox.cli.system import FEATURE_QUEUES, System
from smallbox.define.source import Source
from smallbox.times import DAY, Micros, format_moment

MODEL: Final = "late_arrival"

_UPKEEP_EVERY: Final[Micros] = 7 * DAY
"""On AWS it runs daily. In a replay it takes five seconds, and the small files of a week cost less than seven runs."""


def micros(moments: pd.Series) -> npt.NDArray[np.int64]:
    """Moments of a frame as microseconds."""
    found: npt.NDArray[np.int64] = moments.dt.as_unit("us").astype("int64").to_numpy()
    return found


class Timeline:
    """The rows of one source as JSON texts, in the order of some moment."""

    def __init__(self, rows: pd.DataFrame, at: npt.NDArray[np.int64]) -> None:
        order = np.argsort(at, kind="stable")
        self.at = at[order]
        self._lines = (
            rows.iloc[order].to_json(orient="records", lines=True, date_format="iso", date_unit="s").split("\n")
        )

    def between(self, start: Micros, end: Micros) -> Sequence[str]:
        """The rows whose moment lies in ``(start, end]``: what became known since ``start``."""
        first, last = np.searchsorted(self.at, [start, end], side="right")
        return self._lines[first:last]


def known(source: Source, rows: pd.DataFrame) -> Timeline:
    """A source's rows by the moment at which they became known."""
    return Timeline(rows, micros(rows[source.time]) + (source.known_after_micros or 0))


@dataclass
class Counts:
    """What a replay has done so far."""

    sent: int = 0
    rejected: int = 0
    predictions: int = 0
    days: list[Mapping[str, Any]] = field(default_factory=list)
    trainings: list[Mapping[str, Any]] = field(default_factory=list)


class Replay:
    """Drives a running system through past time; every request names the moment it is made at."""

    def __init__(self, system: System, sources: Mapping[str, Source], records: Records, step: Micros) -> None:
        self._system = system
        self._step = step
        frames = {"departures": records.departures, "weather": records.weather, "arrivals": records.arrivals}
        self._known = {name: known(sources[name], frame) for name, frame in frames.items()}
        self._flights = Timeline(records.departures, micros(records.departures["scheduled_at"]))
        self.counts = Counts()

    def run(self, start: Micros, end: Micros, stepped: Callable[[Micros], None]) -> None:
        """Replay from ``start`` to ``end``, calling ``stepped`` after each step.

        Everything known by ``start`` is taken to be in the system already. At each step what became known since the
        last one is sent and drained; then the flights that leave before the next step are predicted, as of the step;
        at midnight the checks of the day are run.
        """
        for now in range(start, end, self._step):
            self._predict(now)
            self._send_known(now, now + self._step)
            if (now + self._step) % DAY == 0:
                self._close_day(now + self._step)
            stepped(now)

    def _predict(self, now: Micros) -> None:
        flights = self._flights.between(now - 1, now - 1 + self._step)
        self.counts.predictions += len(self._system.predict(MODEL, flights, format_moment(now)))

    def _send_known(self, since: Micros, now: Micros) -> None:
        for source, timeline in self._known.items():
            lines = timeline.between(since, now)
            self.counts.sent += len(lines)
            self.counts.rejected += len(self._system.send(source, lines, format_moment(now))["rejected"])
        self._system.drain(FEATURE_QUEUES)

    def _close_day(self, midnight: Micros) -> None:
        self._system.drain()
        if midnight % _UPKEEP_EVERY == 0:
            self._system.upkeep(format_moment(midnight))
        day = self._system.run("DailyMachine", {"model": MODEL, "as_of": format_moment(midnight)})
        self.counts.days.append(day)
        if execution := day["retraining"].get("execution"):
            self.counts.trainings.append(self._system.wait_for_execution(execution))
