"""The drills' system in one process: the real tasks, with fakes for every port."""

import copy
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any, Self

import pandas as pd

from smallbox.cli.drills import definition
from smallbox.cli.drills.rung import opened_rung, releases_of, rung_of
from smallbox.cli.drills.site import AlarmName, BrokenPart, Rung
from smallbox.cli.drills.stack_damage import with_shuffled_labels
from smallbox.cli.drills.stack_site import record_lines
from smallbox.define.project import Project, project_of_modules
from smallbox.error_codes import policy_of
from smallbox.errors import NotReady, Unavailable
from smallbox.ingestion.append import AppendTask
from smallbox.ingestion.quarantine import Quarantine
from smallbox.monitoring.freshness import FreshnessTask
from smallbox.monitoring.incidents import IncidentBook
from smallbox.registry.live_sources import LiveSources
from smallbox.registry.register import RegisterTask
from smallbox.registry.routing import start_canary
from smallbox.release.by_hand import ByHandTask
from smallbox.release.canary_marks import CHALLENGER_TROUBLE
from smallbox.release.guard import GuardTask
from smallbox.times import HOUR, MINUTE, SECOND, Micros, day_of, format_moment
from smallbox.training.dataset import DatasetTask
from smallbox.training.fit import FitTask
from tests.fakes.edges import FakeNotices
from tests.fakes.world import PRESENT, World

MODEL = definition.late_delivery.name
SLOW = 3 * SECOND
"""An answer that takes so long counts for the alarm of late answers."""

UPKEEP_OVERDUE = 30 * HOUR
_ATTEMPTS = 3
"""How often a queue delivers a message before it goes to the dead letters."""

_STATE = ("lake", "blobs", "online", "meter", "training", "documents", "metrics", "counters")


def drills_project() -> Project:
    """The drills' sources, views and model."""
    return project_of_modules([definition])


@dataclass
class InProcessSite:
    """A :class:`~smallbox.cli.drills.site.DrillSite` over a :class:`~tests.fakes.world.World`."""

    world: World = field(default_factory=lambda: World(drills_project()))
    ringing: set[AlarmName] = field(default_factory=set)
    broken: BrokenPart | None = None

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
        routing = self.world.registry.routing(MODEL)
        if self.broken == "bad canary" and routing is not None and routing.challenger is not None:
            return self._one_by_one(instances, as_of)
        began = self.world.clock()
        try:
            answers = self.world.predict(MODEL, instances, as_of, f"{as_of}")
        except Unavailable as error:
            if policy_of(error).status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                self.ringing.add("Failing")
            return ()
        if self.world.clock() - began >= SLOW:
            self.ringing.add("Slow")
        return answers

    def _one_by_one(self, instances: Sequence[Mapping[str, Any]], as_of: Micros) -> Sequence[Mapping[str, Any]]:
        """A request an instance, as callers send them; the guard looks when its alarm's figure is there."""
        requests = enumerate(instances)
        found = [one for n, own in requests for one in self.world.predict(MODEL, [own], as_of, f"{as_of}-{n}")]
        if any(CHALLENGER_TROUBLE in figures for figures, _ in self.world.meter.published):
            self.ringing.add("ChallengerTrouble")
            stores = self.world.registry, self.world.metrics, self.world.counters, FakeNotices()
            GuardTask(self.world.project, *stores).run(as_of + MINUTE, climbs=False)
        return found

    def look(self, now: Micros) -> Sequence[Rung]:
        world = self.world
        FreshnessTask(world.project, world.lake, world.registry, world.metrics, world.meter, FakeNotices()).run(now)
        found = IncidentBook(world.metrics).incidents(MODEL)
        return [opened_rung(one.as_json()) for one in found if not one.is_closed]

    def close_day(self, midnight: Micros) -> Sequence[Rung]:
        try:
            day = self.world.close_day(MODEL, midnight)
        except Unavailable:
            self.ringing.add("Executions")
            return ()
        report = self.world.metrics.get(f"model#{MODEL}", f"day#{day['day']}")
        assert report is not None
        return rung_of(report)

    def releases(self) -> Sequence[str]:
        return releases_of(self.world.registry.history(MODEL))

    def alarms(self) -> Sequence[AlarmName]:
        if self.world.fallbacks.kept:
            self.ringing.add("Fallback")
        return sorted(self.ringing)

    def damage(self, part: BrokenPart, now: Micros) -> None:
        self.broken = part
        damages: Mapping[BrokenPart, Callable[[], None]] = {
            "slow store": self._slow_store,
            "throttled table": self._throttled_table,
            "model file": self._model_file,
            "slow model": self._slow_model,
            "log queue": self._log_queue,
            "log worker": self._log_worker,
            "daily task": self._daily_task,
            "upkeep": lambda: self._upkeep(now),
            "poison message": self._poison_message,
            "dead worker": self._dead_worker,
            "bad candidate": lambda: self._bad_candidate(now),
            "bad canary": lambda: self._bad_canary(now),
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

    def _slow_model(self) -> None:
        """Whoever asks for a version waits four seconds: no budget covers that."""
        passed, version = [0], self.world.loader.version

        def slow(model: str, number: int) -> Any:
            passed[0] += 4 * SECOND
            return version(model, number)

        self.world.loader.version = slow  # type: ignore[method-assign]
        self.world.clock = lambda: passed[0]

    def _log_queue(self) -> None:
        def refused(*_: Any, **__: Any) -> None:
            raise Unavailable("the queue takes no messages")

        self.world.predictions.send = refused  # type: ignore[method-assign]

    def _log_worker(self) -> None:
        """Nobody takes the messages; those of a day's first step are hours old at its end."""

        def left() -> list[dict[str, Any]]:
            if self.world.predictions.messages:
                self.ringing.add("Waiting")
            return []

        self.world.predictions.take = left  # type: ignore[method-assign]

    def _daily_task(self) -> None:
        put = self.world.metrics.put

        def refused(partition: str, sort: str, document: Mapping[str, Any]) -> None:
            if sort.startswith("day#"):
                raise Unavailable("the table is throttled")
            put(partition, sort, document)

        self.world.metrics.put = refused  # type: ignore[method-assign]

    def _upkeep(self, since: Micros) -> None:
        """It ran last when the day before was closed."""

        def overdue(midnight: Micros) -> None:
            if midnight - since > UPKEEP_OVERDUE:
                self.ringing.add("UpkeepOverdue")

        self.world.upkeep = overdue  # type: ignore[method-assign]

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
        self.ringing.add("Dead")

    def _dead_worker(self) -> None:
        self.world.features.send = lambda *_, **__: None  # type: ignore[method-assign]

    def _bad_canary(self, now: Micros) -> None:
        """A version like the champion, but for its file, gets half of the units."""
        registry, champion = self.world.registry, self.world.registry.versions(MODEL)[0]
        bad = registry.add(replace(champion, number=0, onnx_key="models/bad.onnx", onnx_sha256="0" * 64))
        self.world.blobs.put(bad.onnx_key, b"not a model")
        routing = registry.routing(MODEL)
        assert routing is not None
        registry.route(MODEL, start_canary(routing, bad.number, 0.5, now))

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
