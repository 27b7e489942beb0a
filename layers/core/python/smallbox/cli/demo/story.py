"""The story of the demonstration: once around all nine stages, on real flights."""

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from smallbox.cli.data import drop
from smallbox.cli.demo.flights import Records
from smallbox.cli.demo.replay import MODEL, Counts, Replay, micros
from smallbox.cli.models import score
from smallbox.cli.system import System
from smallbox.define.project import Project
from smallbox.define.source import Source
from smallbox.times import DAY, HOUR, Micros, format_moment, to_datetime


@dataclass
class Story:
    """What happened, for the table and the report.

    Attributes:
        drops: the loader's report of each history file.
        first_training: the document of the first training run.
        counts: what the replay did.
        scored: the report of the scored file.
        alarms: the states of the breach alarms, day by day.
    """

    drops: list[dict[str, Any]] = field(default_factory=list)
    first_training: dict[str, Any] = field(default_factory=dict)
    counts: Counts = field(default_factory=Counts)
    scored: dict[str, Any] = field(default_factory=dict)


def history_of(source: Source, rows: pd.DataFrame, start: Micros) -> pd.DataFrame:
    """The rows that were known by the start of the replay."""
    return rows[micros(rows[source.time]) + (source.known_after_micros or 0) <= start]


class Teller:
    """Tells the story through a running system's own doors."""

    def __init__(self, system: System, project: Project, records: Records, console: Console) -> None:
        self._system = system
        self._project = project
        self._records = records
        self._console = console
        self.story = Story()

    def tell(self, start: Micros, end: Micros, step: Micros = HOUR) -> Story:
        """History in, a first champion, weeks of life, a scored file."""
        self._drop_history(start)
        self._train(start)
        self._live(start, end, step)
        self._score(end)
        return self.story

    def _frames(self) -> dict[str, pd.DataFrame]:
        return {
            "departures": self._records.departures,
            "arrivals": self._records.arrivals,
            "weather": self._records.weather,
            "planes": self._records.planes,
        }

    def _drop_history(self, start: Micros) -> None:
        with tempfile.TemporaryDirectory() as folder:
            for name, rows in self._frames().items():
                file = Path(folder) / f"{name}.parquet"
                history_of(self._project.source(name), rows, start).to_parquet(file, index=False)
                report = drop(self._system, name, file, format_moment(start))
                self.story.drops.append(report)
                self._console.print(
                    f"[bold]history[/] {name}: {report['accepted']:,} records in the lake, "
                    f"{report['rejected']} in quarantine"
                )

    def _train(self, start: Micros) -> None:
        document = {"model": MODEL, "as_of": format_moment(start), "reason": "the first version"}
        run = dict(self._system.run("TrainingMachine", document))
        self.story.first_training = run
        metrics = run["metrics"]
        self._console.print(
            f"[bold]training[/] version {run['version']}: AUC {metrics['auc']:.3f}, calibration error "
            f"{metrics['calibration_error']:.3f} on {metrics['rows']:,} validation rows; "
            f"{'accepted: champion' if run['accepted'] else 'refused'}"
        )

    def _live(self, start: Micros, end: Micros, step: Micros) -> None:
        replay = Replay(self._system, self._project.sources, self._records, step)
        self.story.counts = replay.counts
        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
        with Progress(*columns, console=self._console) as progress:
            task = progress.add_task("replay", total=end - start)

            def stepped(now: Micros) -> None:
                what = f"[bold]replay[/] {to_datetime(now):%d %b %H:%M}  {replay.counts.predictions:,} predictions"
                progress.update(task, completed=now + step - start, description=what)
                if (now + step) % DAY == 0:
                    self._tell_day(replay.counts.days[-1])

            replay.run(start, end, stepped)

    def _tell_day(self, day: Any) -> None:
        breaches = ", ".join(f"{kind} {n}" for kind, n in day["breaches"].items() if n) or "none"
        release, retraining = day["release"], day["retraining"]
        line = f"  {day['day']}: breaches {breaches}"
        if release["action"] not in {"none", "wait"}:
            line += f"; [bold]release[/] {release['action']}: {release['why']}"
        if retraining["train"]:
            line += f"; [bold]retraining[/]: {retraining['why']}"
        self._console.print(line)

    def _score(self, end: Micros) -> None:
        departures = self._records.departures
        day = departures[departures["scheduled_at"].between(to_datetime(end - DAY), to_datetime(end), inclusive="left")]
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "last-day.csv"
            day.assign(scheduled_at=day["scheduled_at"].dt.strftime("%Y-%m-%dT%H:%M:%SZ")).to_csv(file, index=False)
            self.story.scored = score(self._system, MODEL, file)
        self._console.print(f"[bold]batch[/] {self.story.scored['scored']:,} rows of a dropped file scored")
