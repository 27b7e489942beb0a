"""Four weeks of real flights that a model has been trained on, in one process."""

from typing import Any

import pytest

from smallbox.cli.demo.flights import Records, known, load_flights, micros
from smallbox.cli.system import MAX_AT_ONCE
from smallbox.define.project import load as load_project
from smallbox.times import Micros, parse_day
from tests.fakes.world import World

MODEL = "late_arrival"
START: Micros = parse_day("2013-01-29")


class Lived:
    """A world, its data, and what has happened in it."""

    def __init__(self, records: Records) -> None:
        self.world = World(load_project())
        self.records = records
        frames = {"departures": records.departures, "arrivals": records.arrivals, "weather": records.weather}
        frames["planes"] = records.planes
        self.frames = frames
        self.timelines = {name: known(self.world.project.source(name), frame) for name, frame in frames.items()}
        self.reports = [self._drop(name) for name in frames]
        self.training = self.world.train(MODEL, START)

    def _drop(self, name: str) -> Any:
        rows, source = self.frames[name], self.world.project.source(name)
        known_at = micros(rows[source.time]) + (source.known_after_micros or 0)
        return self.world.drop(name, rows[known_at <= START], START)

    def send(
        self, since: Micros, now: Micros, *, sources: tuple[str, ...] = ("departures", "arrivals", "weather")
    ) -> int:
        """Send what became known in ``(since, now]``; how many records."""
        sent = 0
        for name in sources:
            lines = self.timelines[name].between(since, now)
            for first in range(0, len(lines), MAX_AT_ONCE):
                self.world.send(name, f"[{','.join(lines[first : first + MAX_AT_ONCE])}]", now, f"{name}-{now}-{first}")
            sent += len(lines)
        return sent

    def instances(self, since: Micros, until: Micros) -> list[dict[str, Any]]:
        """The flights scheduled in ``[since, until)``, as a caller would ask for them."""
        at = micros(self.records.departures["scheduled_at"])
        rows = self.records.departures[(at >= since) & (at < until)]
        texts = rows["scheduled_at"].dt.strftime("%Y-%m-%dT%H:%M:%SZ")
        found: Any = rows.assign(scheduled_at=texts).to_dict("records")
        return list(found)


@pytest.fixture(scope="session")
def flights() -> Records:
    """All flights of the year."""
    return load_flights()


@pytest.fixture(scope="module")
def lived(flights: Records) -> Lived:
    """History in the lake and in the store, and a champion."""
    return Lived(flights)
