"""The phases of a replay: load history, train the first champion, replay the days, score a file."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from rich.markup import escape

from smallbox.cli.data import drop
from smallbox.cli.replay.driver import Replay, ReplayCounts
from smallbox.cli.replay.progress import Progress
from smallbox.cli.replay.recording import Recording
from smallbox.cli.replay.span import Span
from smallbox.cli.replay.stage_verdict import StageVerdict
from smallbox.cli.scored_files import score
from smallbox.cli.system import System
from smallbox.define.model import Model
from smallbox.errors import NotReady
from smallbox.times import DAY, Micros, format_moment, to_datetime


@dataclass(frozen=True, slots=True)
class InterludeReport:
    """What an interlude did.

    Attributes:
        verdict: whether it went well.
        asked: the number of predictions that it has asked for.
        head: the columns of its table.
        rows: the rows.
    """

    verdict: StageVerdict
    asked: int
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


class Interlude(Protocol):
    """Something that happens to the system between the days of a replay."""

    def after_day(self, midnight: Micros) -> None:
        """Called after each day has been closed."""

    def after_replay(self, midnight: Micros) -> None:
        """Called once, after the last day."""

    def report(self, results: "ReplayResults") -> InterludeReport:
        """What it did, and how that compares with the replay's own results."""


@dataclass
class ReplayResults:
    """The results of each phase, for the table and the report.

    Attributes:
        drops: the loader's report of each history file.
        history_sent: the number of history records sent over HTTPS instead: they are known when received.
        history_rejected: the number of those that violated their contract.
        first_training: the document of the first training run.
        counts: the counts of the replayed days.
        scored: the report of the scored file; empty if the last day has no request.
        interludes: what else happened between the days.
    """

    drops: list[dict[str, Any]] = field(default_factory=list)
    history_sent: int = 0
    history_rejected: int = 0
    first_training: dict[str, Any] = field(default_factory=dict)
    counts: ReplayCounts = field(default_factory=ReplayCounts)
    scored: dict[str, Any] = field(default_factory=dict)
    interludes: list[InterludeReport] = field(default_factory=list)


class ReplayPhases:
    """Runs the phases on a running system, and reports progress.

    Args:
        system: the running system.
        model: the model.
        recordings: the records of each source.
        span: the days and steps to replay.
        progress: where progress is printed.
        interludes: what happens between the days, in this order.
    """

    def __init__(
        self,
        system: System,
        model: Model,
        recordings: Mapping[str, Recording],
        span: Span,
        progress: Progress,
        interludes: Sequence[Interlude] = (),
    ) -> None:
        self._system = system
        self._model = model
        self._recordings = recordings
        self._span = span
        self._progress = progress
        self._interludes = interludes
        self.results = ReplayResults()

    def run(self) -> ReplayResults:
        """Run all phases.

        Raises:
            NotReady: if no version serves after the first training; gives the gate's reason.
        """
        for name, recording in self._recordings.items():
            if recording.source.known_after is None:
                self._send_history(name, recording)
            else:
                self._drop_history(name, recording)
        self._system.drain()
        self._train()
        self._live()
        for interlude in self._interludes:
            interlude.after_replay(self._span.end)
        self._score()
        self.results.interludes = [interlude.report(self.results) for interlude in self._interludes]
        return self.results

    def _drop_history(self, name: str, recording: Recording) -> None:
        lines = recording.known.until(self._span.start)
        if not lines:
            return
        report = _with_file(f"{name}.jsonl", lines, lambda file: drop(self._system, name, file, self._begin))
        self.results.drops.append(report)
        said = f"{report['accepted']:,} records in the lake, {report['rejected']} in quarantine"
        self._progress.say(f"[bold]history[/] {name}: {said}")

    def _send_history(self, name: str, recording: Recording) -> None:
        """Send records of a source without ``known_after`` step by step: a dropped file is received all at once."""
        start, known = self._span.start, recording.known
        ends = [int(at) for at in np.unique(known.at) if at <= start]
        sender = Replay(self._system, self._model.name, {name: known}, recording.asked, self._span)
        with self._progress.bar(f"[bold]history[/] {name}", len(ends)) as moved:
            for done, end in enumerate(ends, 1):
                sender.send(end - 1, end)
                moved(done, f"[bold]history[/] {name}: {sender.counts.sent:,} records sent")
        self.results.history_sent += sender.counts.sent
        self.results.history_rejected += sender.counts.rejected

    @property
    def _begin(self) -> str:
        return format_moment(self._span.start)

    def _train(self) -> None:
        document = {"model": self._model.name, "as_of": self._begin, "reason": "the first version"}
        run = dict(self._system.run("TrainingMachine", document))
        self.results.first_training = run
        self._progress.say(training_sentence(run))
        if not self._system.champion(self._model.name):
            raise NotReady(
                f"no version of {self._model.name} serves after the first training: {run['verdict']['why']}; start "
                "later, so that there is more history, or change the model or its gate in the definition"
            )

    def _live(self) -> None:
        known = {name: recording.known for name, recording in self._recordings.items()}
        asked = self._recordings[self._model.request.name].asked
        replay = Replay(self._system, self._model.name, known, asked, self._span)
        self.results.counts = replay.counts
        with self._progress.bar("[bold]replay[/]", self._span.end - self._span.start) as moved:

            def stepped(end: Micros) -> None:
                at, done = to_datetime(end), f"{replay.counts.predictions:,} predictions"
                moved(end - self._span.start, f"[bold]replay[/] {at:%d %b %Y %H:%M}  {done}")
                if end % DAY == 0:
                    self._progress.say(event_sentence(replay.counts.days[-1]))
                    for interlude in self._interludes:
                        interlude.after_day(end)

            replay.run(stepped)

    def _score(self) -> None:
        asked = self._recordings[self._model.request.name].asked
        if lines := asked.between(self._span.end - DAY - 1, self._span.end - 1):
            self.results.scored = score_lines(self._system, self._model.name, lines)
            self._progress.say(f"[bold]batch[/] {self.results.scored['scored']:,} rows of a dropped file scored")


def score_lines(system: System, model: str, lines: Sequence[str]) -> Any:
    """Score requests, each a JSON text, as one dropped file; return the scorer's report."""
    return _with_file("requests.jsonl", lines, lambda file: score(system, model, file))


def _with_file(name: str, lines: Sequence[str], use: Callable[[Path], Any]) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / name
        file.write_text("\n".join(lines) + "\n")
        return use(file)


def training_sentence(run: Mapping[str, Any]) -> str:
    """The results of a training run, in one line."""
    metrics = run["metrics"]
    return (
        f"[bold]training[/] {run['model']} version {run['version']}: mean loss {metrics['loss']['value']:.4g}, the "
        f"constant baseline {run['baseline']['loss']:.4g}, on {metrics['rows']:,} validation rows; "
        f"{'accepted' if run['accepted'] else 'not accepted'}"
    )


def event_sentence(day: Mapping[str, Any]) -> str:
    """The results of a closed day, in one line."""
    breaches = ", ".join(f"{kind} {n}" for kind, n in day["breaches"].items() if n) or "none"
    release, retraining = day["release"], day["retraining"]
    line = f"  {day['day']}: breaches {breaches}"
    line += "".join(f"; [bold]incident[/] {one['id']}" for one in day["incidents"] if one["opened"] == day["day"])
    if release["action"] not in {"none", "wait"}:
        line += f"; [bold]release[/] {release['action']}: {escape(release['why'])}"
    if retraining["train"]:
        line += f"; [bold]retraining[/]: {escape(retraining['why'])}"
    return line
