"""The whole system in one process: every stage's own class, every port a fake."""

import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from smallbox.define.project import Project
from smallbox.documents.daily_run import DayDocument
from smallbox.documents.training_run import TrainingRequest
from smallbox.features.backfill import BackfillTask
from smallbox.features.live_views import LiveViewStore
from smallbox.features.rebuild import RebuildTask
from smallbox.features.stream import StreamTask
from smallbox.feedback.join import JoinTask
from smallbox.feedback.profiled_labels import LabelProfiles
from smallbox.ingestion.append import AppendTask
from smallbox.ingestion.collect import CollectTask
from smallbox.ingestion.load import DropReport, LoadTask
from smallbox.ingestion.profiled_records import RecordProfiles
from smallbox.ingestion.quarantine import Quarantine
from smallbox.ingestion.upkeep import UpkeepTask
from smallbox.lake.predictions import PredictionLog
from smallbox.monitoring.check import CheckTask
from smallbox.ports import Lake
from smallbox.profiles.store import ProfileStore
from smallbox.registry.contracts import Contracts
from smallbox.registry.live_sources import LiveSources
from smallbox.registry.loader import ModelLoader
from smallbox.registry.register import RegisterTask
from smallbox.registry.signatures import Signatures
from smallbox.registry.store import Registry
from smallbox.release.by_hand import ByHandTask
from smallbox.release.experiment import ExperimentTask
from smallbox.release.review import ReviewTask
from smallbox.release.shadow import ShadowTask
from smallbox.release.start import StartTask
from smallbox.retraining.decide import DecideTask
from smallbox.serving.log import LogTask
from smallbox.serving.predict import PredictTask
from smallbox.serving.profiled_predictions import PredictionProfiles
from smallbox.serving.score import ScoreTask
from smallbox.times import Micros, Moment, format_moment
from smallbox.training.dataset import DatasetTask
from smallbox.training.fit import FitTask
from tests.fakes.counters import FakeCanaryCounters
from tests.fakes.documents import FakeDocuments
from tests.fakes.edges import FakeBlobs, FakeFailureLog, FakeMeter, FakeNotices, FakeQueue, FakeWorkflow, still
from tests.fakes.lake import FakeLake
from tests.fakes.online import FakeOnlineStore

PRESENT: Micros = 2_000_000_000_000_000
"""The clock of this world stands still, in 2033."""


def _no_pause(_: int) -> None:
    """A fake store has no other writers to wait for."""


class World:
    """Does what the deployed functions do, in the order in which their triggers would."""

    def __init__(self, project: Project, lake: Lake | None = None) -> None:
        self.project = project
        self.lake: Lake = FakeLake() if lake is None else lake
        self.blobs, self.inbox = FakeBlobs(), FakeBlobs(PRESENT)
        self.online, self.meter, self.training = FakeOnlineStore(), FakeMeter(), FakeWorkflow()
        self.documents, self.metrics = FakeDocuments(), FakeDocuments()
        self.counters, self.clock = FakeCanaryCounters(), still
        self.rewire(project)
        self.events, self.drops, self.features, self.rebuilds, self.predictions = (FakeQueue() for _ in range(5))
        self.fallbacks = FakeFailureLog()
        self.deploy(project)

    def deploy(self, project: Project, as_of: Micros = PRESENT) -> None:
        """Deploy a definition, as new processes have it, and run the backfill as of a moment."""
        self.rewire(project)
        self.backfill({"as_of": format_moment(as_of)})

    def rewire(self, project: Project | None = None) -> None:
        """What new processes make of the ports as they are now, and of the definition, by default the same."""
        self.project = self.project if project is None else project
        self.log = PredictionLog(self.lake)
        self.registry, self.live = Registry(self.documents), LiveViewStore(self.documents)
        self.contracts = Contracts(self.documents)
        self.signatures = Signatures(self.project, self.registry, self.blobs)
        self.loader = ModelLoader(self.registry, self.blobs, self.signatures)

    def backfill(self, document: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the backfill's state machine does."""
        task = BackfillTask(
            self.project, self.registry, self.contracts, self.live, self.lake, self.online, self.rebuilds, _no_pause
        )
        plan = task.run("plan", document, PRESENT)
        filled = [task.run("fill", part, PRESENT) for part in plan["parts"]]
        return task.run("publish", {**plan, "filled": filled}, PRESENT)

    def drop(self, source: str, rows: pd.DataFrame, as_of: Micros) -> DropReport:
        """Load a Parquet file of records as of a moment."""
        content = io.BytesIO()
        rows.to_parquet(content, index=False)
        key = f"drop/{source}/as_of={format_moment(as_of)}/file.parquet"
        self.inbox.put(key, content.getvalue())
        drops = LoadTask(
            self.project,
            LiveSources(self.documents),
            self.lake,
            self.blobs,
            self.inbox,
            self.drops,
            self.rebuilds,
            profiles=RecordProfiles(self.blobs),
        )
        drops.take(key)
        for message in self.drops.take():
            drops.take_part(message)
        self.drain()
        return DropReport(**json.loads(self.blobs.get(f"reports/{key}.json")))

    def send(self, source: str, body: str, as_of: Micros, request: str = "r") -> Mapping[str, Any]:
        """Send an array of records as of a moment, and drain."""
        collector = CollectTask(self.project, self.events, Quarantine(self.blobs))
        answer = collector.collect(source, body, "application/json", Moment(as_of, is_replayed=True), request)
        self.drain()
        return answer

    def drain(self) -> None:
        """Work every queue until it is empty."""
        for message in self.events.take():
            AppendTask(
                self.project,
                LiveSources(self.documents),
                self.lake,
                Quarantine(self.blobs),
                self.features,
                RecordProfiles(self.blobs),
            ).append([message])
        streamer = StreamTask(self.project, self.live, self.online, self.features, self.rebuilds, _no_pause)
        for message in self.features.take():
            streamer.apply([message], PRESENT)
        rebuild = RebuildTask(self.project, self.live, self.lake, self.online, self.rebuilds, _no_pause)
        for message in self.rebuilds.take():
            rebuild.run([message], PRESENT)
        for message in self.predictions.take():
            profiles = PredictionProfiles(self.registry, self.blobs)
            LogTask(self.project, self.lake, self.counters, self.meter, profiles).append([message])

    def train(self, model: str, as_of: Micros) -> Any:
        """One training run: every task of the state machine, in its order."""
        document: TrainingRequest = {"model": model, "as_of": format_moment(as_of), "reason": "test"}
        dataset = DatasetTask(self.project, self.lake, self.blobs, self.registry, self.signatures)
        built = dataset.run(document, PRESENT)
        fitted = FitTask(self.project, self.blobs, self.registry).run(built)
        registered = RegisterTask(self.project, self.registry, self.blobs).run(fitted)
        if not registered["accepted"]:
            return registered
        return StartTask(self.project, self.registry, self.live).run(registered, PRESENT)

    def predict(
        self, model: str, instances: Sequence[Mapping[str, Any]], as_of: Micros, batch: str
    ) -> Sequence[Mapping[str, Any]]:
        """Predict as of a moment, and drain the log."""
        predictor = PredictTask(
            self.project, self.online, self.live, self.loader, self.predictions, self.fallbacks, self.clock
        )
        answer = predictor.predict(
            model, {"instances": list(instances)}, Moment(as_of, is_replayed=True), PRESENT, batch
        )
        self.drain()
        predictions: Sequence[Mapping[str, Any]] = answer["predictions"]
        return predictions

    def score(self, model: str, rows: pd.DataFrame) -> Mapping[str, bytes]:
        """Score a Parquet file; what was written, by the last part of its key."""
        content, key = io.BytesIO(), f"score/{model}/in/f.parquet"
        rows.to_parquet(content, index=False)
        self.inbox.put(key, content.getvalue())
        profiles = PredictionProfiles(self.registry, self.blobs)
        ScoreTask(self.project, self.lake, self.loader, self.inbox, FakeWorkflow(), profiles=profiles).take(key)
        return {key.rsplit("/", 1)[1]: self.inbox.get(key) for key in self.inbox.list(f"score/{model}/out/")}

    @property
    def experiments(self) -> ExperimentTask:
        """What plans, starts, shows and stops experiments, and looks at the running one."""
        return ExperimentTask(self.project, self.lake, self.registry, self.live)

    def upkeep(self, midnight: Micros) -> None:
        """The upkeep, and what it asks for."""
        UpkeepTask(self.project, LiveSources(self.documents), self.lake, self.rebuilds, ProfileStore(self.blobs)).run(
            {"as_of": format_moment(midnight)}, PRESENT
        )
        self.drain()

    def close_day(self, model: str, midnight: Micros) -> DayDocument:
        """The upkeep, then the daily state machine: every task, in its order."""
        self.upkeep(midnight)
        document: DayDocument = {"model": model, "as_of": format_moment(midnight)}
        profiles = LabelProfiles(self.registry, self.blobs)
        join = JoinTask(self.project, self.lake, self.registry, self.metrics, profiles)
        document = join.run(document, PRESENT)
        stores = self.project, self.lake, self.blobs, self.registry, self.signatures, self.metrics
        document = CheckTask(*stores, self.meter, FakeNotices(), online=self.online).run(document)
        shadowing = ShadowTask(self.project, self.lake, self.registry, self.loader, self.metrics, lambda: 0)
        document = shadowing.run(document)
        document = ReviewTask(self.project, self.lake, self.registry, self.live, self.metrics).run(document, PRESENT)
        document = self.experiments.run(document, PRESENT)
        by_hand = ByHandTask(self.project, self.registry, self.live)
        decide = DecideTask(self.project, self.registry, self.metrics, self.training, by_hand)
        return decide.run(document, PRESENT)
