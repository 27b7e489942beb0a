"""The local stack: the CDK app as it deploys to AWS, on the emulator, with IAM enforced."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from smallbox.cli import local
from smallbox.cli.data import drop
from smallbox.cli.demo import MODEL
from smallbox.cli.demo.flights import Records, as_lines, known, load_flights, micros
from smallbox.cli.replay.driver import Replay
from smallbox.cli.replay.recording import Timeline
from smallbox.cli.replay.span import Span
from smallbox.cli.system import System
from smallbox.cli.up import running
from smallbox.define.project import load as load_project
from smallbox.define.source import Source
from smallbox.times import DAY, HOUR, Micros, format_moment, parse_day
from tests.deployed.other_checkout import is_up, run_there, write_other_checkout

START: Micros = parse_day("2013-01-23")
STEP: Micros = 3 * HOUR


def known_by(source: Source, rows: pd.DataFrame, start: Micros) -> pd.DataFrame:
    """The rows that were known by a moment."""
    return rows[micros(rows[source.time]) + (source.known_after_micros or 0) <= start]


class Deployed:
    """A running system in which three weeks of history have become a champion: two weeks trained it, one judged it.

    Attributes:
        system: the system for the account's root, who may look at everything.
        operator: the system as commands reach it, with the managed policy of operators and nothing else. It drops,
            trains, sends, predicts and closes days.
    """

    def __init__(self, system: System, records: Records, folder: Path) -> None:
        self.system = system
        self.operator = System(local.stack())
        self.records = records
        self.sources = load_project().sources
        self.drops = [self._drop(name, folder) for name in self.sources]
        self.known_until: Micros = START
        document = {"model": MODEL, "as_of": format_moment(START), "reason": "a champion of two weeks"}
        self.training: Any = self.operator.run("TrainingMachine", document)

    def _drop(self, name: str, folder: Path) -> Any:
        file = folder / f"{name}.parquet"
        known_by(self.sources[name], getattr(self.records, name), START).to_parquet(file, index=False)
        return drop(self.operator, name, file, format_moment(START))

    def live(self, start: Micros, days: int, step: Micros = STEP) -> Replay:
        """Replay some days: events in, predictions out, each day closed; long steps are quick."""
        timelines = {name: self._known(name) for name in self.sources}
        replay = Replay(self.operator, MODEL, timelines, self.flights, Span(start, start + days * DAY, step))
        replay.run(lambda _: None)
        self.known_until = start + days * DAY
        return replay

    @property
    def flights(self) -> Timeline:
        """The requests by their event time."""
        rows = self.records.departures
        return Timeline(as_lines(rows), micros(rows["scheduled_at"]).tolist())

    def _known(self, name: str) -> Timeline:
        return known(self.sources[name], getattr(self.records, name))

    def send_until(self, now: Micros) -> None:
        """Send what became known until a moment and was not sent before, without predicting."""
        for name in self.sources:
            lines = self._known(name).between(self.known_until, now)
            self.operator.send(name, lines, format_moment(now))
        self.operator.drain()
        self.known_until = max(self.known_until, now)

    def arms(self, now: Micros, keys: int = 60) -> dict[str, int]:
        """How many of some flights each version answers."""
        lines = self._known("departures").between(now - DAY, now)[:keys]
        predictions = self.operator.predict(MODEL, lines, format_moment(now))
        versions = [str(p["version"]) for p in predictions]
        return {version: versions.count(version) for version in set(versions)}


@pytest.fixture(scope="session")
def system() -> Iterator[System]:
    """The stack that is up, or one for these tests alone."""
    with running() as stack:
        yield System(stack)


@pytest.fixture(scope="session")
def deployed(system: System, tmp_path_factory: pytest.TempPathFactory) -> Deployed:
    """Three weeks of real flights behind it, and a champion trained on the first two."""
    return Deployed(system, load_flights(), tmp_path_factory.mktemp("history"))


@pytest.fixture(scope="session")
def other_checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A checkout with more definitions; its stack, if it has one by then, is stopped at the end."""
    folder = write_other_checkout(tmp_path_factory.mktemp("other") / "checkout")
    yield folder
    if is_up(folder):
        assert run_there(folder, "down").returncode == 0


@pytest.fixture(scope="session")
def other_stack(other_checkout: Path) -> Path:
    """The same checkout with a running stack: the one that is there, or a new one."""
    if not is_up(other_checkout):
        ended = run_there(other_checkout, "up")
        assert ended.returncode == 0, ended.stderr
    return other_checkout
