"""The drills' system in one process: the real tasks, with fakes for every port."""

import copy
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import pandas as pd

from smallbox.cli.drills import definition
from smallbox.cli.drills.rung import rung_of
from smallbox.cli.drills.site import BrokenPart, Rung
from smallbox.cli.drills.stack_damage import with_shuffled_labels
from smallbox.cli.drills.stack_site import record_lines
from smallbox.define.project import Project, project_of_modules
from smallbox.errors import NotReady, Unavailable
from smallbox.ingestion.append import AppendTask
from smallbox.ingestion.quarantine import Quarantine
from smallbox.registry.live_sources import LiveSources
from smallbox.registry.register import RegisterTask
from smallbox.release.by_hand import ByHandTask
from smallbox.times import Micros, day_of, format_moment
from smallbox.training.dataset import DatasetTask
from smallbox.training.fit import FitTask
from tests.fakes.world import PRESENT, World

MODEL = definition.late_delivery.name
_ATTEMPTS = 3
"""How often a queue delivers a message before it goes to the dead letters."""

_STATE = ("lake", "blobs", "online", "meter", "training", "documents", "metrics")


def drills_project() -> Project:
    """The drills' sources, views and model."""
    return project_of_modules([definition])


@dataclass
class InProcessSite:
    """A :class:`~smallbox.cli.drills.site.DrillSite` over a :class:`~tests.fakes.world.World`."""

    world: World = field(default_factory=lambda: World(drills_project()))
    dead: int = 0

    def copy(self) -> Self:
        """The same state in another system, which goes its own way."""
        world = World(self.world.project)
        for name, one in copy.deepcopy({name: getattr(self.world, name) for name in _STATE}).items():
            setattr(world, name, one)
        world.rewire()
        return type(self)(world)

    def drop(self, source: str, rows: pd.DataFrame, as_of: Micros) -> None:
        assert self.world.drop(source, rows.drop(columns="at"), as_of).rejected == 0

    def train(self, as_of: Micros) -> None:
        run = self.world.train(MODEL, as_of)
        if not run["accepted"]:
            raise NotReady(run["verdict"]["why"])

    def send(self, source: str, rows: pd.DataFrame, as_of: Micros) -> None:
        lines = record_lines(rows)
        for first in range(0, len(lines), 500):
            self.world.send(source, f"[{','.join(lines[first : first + 500])}]", as_of, f"{source}-{as_of}-{first}")

    def predict(self, rows: pd.DataFrame, as_of: Micros) -> Sequence[Mapping[str, Any]]:
        instances = [json.loads(line) for line in record_lines(rows)]
        return self.world.predict(MODEL, instances, as_of, f"{as_of}")

    def close_day(self, midnight: Micros) -> Sequence[Rung]:
        day = self.world.close_day(MODEL, midnight)
        report = self.world.metrics.get(f"model#{MODEL}", f"day#{day['day']}")
        assert report is not None
        return rung_of(report)

    def releases(self) -> Sequence[str]:
        return [event["event"] for event in self.world.registry.history(MODEL)]

    def alarms(self) -> Sequence[str]:
        return ["dead letters"] * bool(self.dead) + ["fallback answers"] * bool(self.world.fallbacks.kept)

    def damage(self, part: BrokenPart, now: Micros) -> None:
        damages: Mapping[BrokenPart, Callable[[], None]] = {
            "slow store": self._slow_store,
            "throttled table": self._throttled_table,
            "model file": self._model_file,
            "poison message": self._poison_message,
            "dead worker": self._dead_worker,
            "bad candidate": lambda: self._bad_candidate(now),
        }
        damages[part]()

    def _slow_store(self) -> None:
        """Whoever gives the store a time budget does not get an answer within it."""
        read = self.world.online.read

        def slow(keys: Any, within: Micros | None = None) -> Any:
            if within is not None:
                raise Unavailable("the online store did not answer in time")
            return read(keys)

        self.world.online.read = slow  # type: ignore[method-assign]

    def _throttled_table(self) -> None:
        def refused(*_: Any, **__: Any) -> Any:
            raise Unavailable("the table is throttled")

        self.world.loader.routing = refused  # type: ignore[method-assign]

    def _model_file(self) -> None:
        version = self.world.registry.versions(MODEL)[0]
        self.world.blobs.put(version.onnx_key, b"not a model")
        self.world.rewire()

    def _poison_message(self) -> None:
        """A message that is no records; it is delivered as often as the queue allows."""
        task = AppendTask(
            self.world.project,
            LiveSources(self.world.documents),
            self.world.lake,
            Quarantine(self.world.blobs),
            self.world.features,
        )
        attempts = Counter[str]()
        while attempts["failed"] < _ATTEMPTS:
            try:
                task.append([{"source": "orders", "records": "poison"}])
            except Exception:  # noqa: BLE001 - whatever the worker raises is a failed attempt
                attempts["failed"] += 1
            else:
                return
        self.dead += 1

    def _dead_worker(self) -> None:
        self.world.features.send = lambda *_, **__: None  # type: ignore[method-assign]

    def _bad_candidate(self, now: Micros) -> None:
        """Shuffled labels train a version; the gate refuses it, and a person starts its canary all the same."""
        world = self.world
        built = DatasetTask(world.project, world.lake, world.blobs, world.registry, world.signatures).run(
            {"model": MODEL, "as_of": format_moment(now), "reason": f"a bad candidate of {day_of(now)}"}, PRESENT
        )
        world.blobs.put(built["dataset"], with_shuffled_labels(world.blobs.get(built["dataset"])))
        fitted = FitTask(world.project, world.blobs, world.registry).run(built)
        registered = RegisterTask(world.project, world.registry, world.blobs).run(fitted)
        assert not registered["accepted"]
        document = {"model": MODEL, "action": "start", "version": registered["version"], "who": "a drill", "why": "it"}
        ByHandTask(world.project, world.registry, world.live).run({**document, "as_of": format_moment(now)}, PRESENT)
