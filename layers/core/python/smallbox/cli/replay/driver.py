"""A replay drives a running system through past time: records in, predictions at their moment, checks day by day."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from smallbox.cli.models import close_day
from smallbox.cli.replay.recording import Timeline
from smallbox.cli.replay.span import Span
from smallbox.cli.system import FEATURE_QUEUES, System
from smallbox.errors import Unavailable
from smallbox.times import DAY, Micros, format_moment


@dataclass
class ReplayCounts:
    """The progress of a replay.

    Attributes:
        sent: records sent over HTTPS.
        rejected: the number of those that violated their contract.
        predictions: the number of predictions received.
        days: the document of each closed day.
        trainings: the documents of completed training runs that retraining decisions started.
        failures: the reasons of the failed ones.
    """

    sent: int = 0
    rejected: int = 0
    predictions: int = 0
    days: list[Mapping[str, Any]] = field(default_factory=list)
    trainings: list[Mapping[str, Any]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


class Replay:
    """Drives the system through simulated time: every request carries its own ``as_of``.

    Args:
        system: the running system.
        model: the model's name.
        known: the records of each source, ordered by when they became known.
        asked: the requests, ordered by event time.
        span: the days and steps to replay.
    """

    def __init__(self, system: System, model: str, known: Mapping[str, Timeline], asked: Timeline, span: Span) -> None:
        self._system = system
        self._model = model
        self._known = known
        self._asked = asked
        self._span = span
        self._is_behind = False
        self.counts = ReplayCounts()

    def run(self, stepped: Callable[[Micros], None]) -> None:
        """Replay the span; call ``stepped`` with the end of each step.

        Records known by the start must be in the system already. Each step first predicts its requests, then sends the
        records that became known in it. At midnight the day is closed.
        """
        for now in self._span.moments:
            end = now + self._span.step
            self._predict(now, end)
            self.send(now, end)
            if end % DAY == 0:
                self._close_day(end)
            stepped(end)

    def send(self, since: Micros, now: Micros) -> None:
        """Send the records that became known in ``(since, now]``, as of ``now``."""
        for source, timeline in self._known.items():
            if lines := timeline.between(since, now):
                self.counts.sent += len(lines)
                self.counts.rejected += len(self._system.send(source, lines, format_moment(now))["rejected"])
                self._is_behind = True

    def _predict(self, now: Micros, end: Micros) -> None:
        """Predict the requests of a step as of its start, after all records sent before have been applied."""
        requests = self._asked.between(now - 1, end - 1)
        if not requests:
            return
        if self._is_behind:
            self._system.drain(FEATURE_QUEUES)
            self._is_behind = False
        self.counts.predictions += len(self._system.predict(self._model, requests, format_moment(now)))

    def _close_day(self, midnight: Micros) -> None:
        self._system.drain()
        self._is_behind = True  # the upkeep may request rebuilds for records that were too far ahead
        day = close_day(self._system, self._model, format_moment(midnight))
        self.counts.days.append(day)
        if execution := day["retraining"].get("execution"):
            self._wait_for_training(execution)

    def _wait_for_training(self, execution: str) -> None:
        try:
            self.counts.trainings.append(self._system.wait_for_execution(execution))
        except Unavailable as error:
            self.counts.failures.append(error.message)
