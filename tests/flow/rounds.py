"""One small model round the loop, in one process: history, a champion, live days, a second version and its canary."""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from smallbox.define import Columns, Source, prepare
from smallbox.define.model import Model
from smallbox.define.project import project_of
from smallbox.documents.daily_run import DayDocument, ReviewStep
from smallbox.lake.names import labelled_table
from smallbox.ports import Lake
from smallbox.serving.inference import InferenceProtocol, ProtocolRequest
from smallbox.serving.predict import PredictTask
from smallbox.times import DAY, HOUR, Micros, Moment, to_datetime
from tests.fakes.world import World

BEGIN: Micros = 15_000 * DAY
HISTORY_DAYS = 20
START: Micros = BEGIN + HISTORY_DAYS * DAY
STEP: Micros = 6 * HOUR

_DATATYPES = {"text": "BYTES", "timestamp": "BYTES", "number": "FP64", "integer": "INT64", "boolean": "BOOL"}


def regressor(columns: Columns) -> Any:
    """Few, small trees of a number."""
    from sklearn.ensemble import HistGradientBoostingRegressor  # noqa: PLC0415
    from sklearn.pipeline import Pipeline  # noqa: PLC0415

    trees = HistGradientBoostingRegressor(max_iter=20, max_leaf_nodes=8, random_state=0)
    return Pipeline([("prepare", prepare(columns)), ("trees", trees)])


def moments(micros: Sequence[int] | np.ndarray[Any, Any]) -> list[Any]:
    """Moments as a file of records has them."""
    return [to_datetime(int(one)) for one in micros]


@dataclass
class Round:
    """A world with one model, its requests and its outcomes, and what happens in it day by day.

    Attributes:
        model: the definition.
        outcome_source: the source of its labels.
        requests: every request of all days, with a column ``at`` of microseconds beside the source's fields.
        outcomes: every outcome, with a column ``at`` too.
        now: where the world's time stands.
        lake: the real lake; by default a fake.
    """

    model: Model
    outcome_source: Source
    requests: pd.DataFrame
    outcomes: pd.DataFrame
    now: Micros = START
    lake: Lake | None = None
    world: World = field(init=False)
    answers: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.world = World(project_of([self.model], [self.model.request, self.outcome_source]), self.lake)
        self._drop(BEGIN, START)

    def train(self) -> Any:
        """One training run as of now."""
        return self.world.train(self.model.name, self.now)

    def day(self) -> DayDocument:
        """A day: requests are predicted in steps, outcomes come as they happen, and the day closes."""
        until = self.now + DAY
        for at in range(self.now, until, STEP):
            instances = self.instances(at, at + STEP)
            for first in range(0, len(instances), 500):
                part = instances[first : first + 500]
                found = self.world.predict(self.model.name, part, at, f"{at}-{first}")
                self.answers |= {one["id"]: one for one in found}
            self._drop(at, at + STEP)
        self.now = until
        return self.world.close_day(self.model.name, until)

    def instances(self, since: Micros, until: Micros) -> list[dict[str, Any]]:
        """The requests of ``[since, until)`` as a caller sends them."""
        rows = self._between(self.requests, since, until)
        time = self.model.request.time
        texts = rows[time].dt.strftime("%Y-%m-%dT%H:%M:%SZ") if len(rows) else []
        found: Any = rows.assign(**{time: texts}).to_dict("records")
        return [{name: None if value != value else value for name, value in one.items()} for one in found]  # noqa: PLR0124

    def ask(self, instances: Sequence[Mapping[str, Any]]) -> list[Any]:
        """Predict as of now, by a path that writes no log."""
        moment = Moment(self.now, is_replayed=True)
        document = {"instances": list(instances)}
        found: Any = self._predictor.predict(self.model.name, document, moment, self.now, "asked")["predictions"]
        self.world.predictions.take()
        return list(found)

    def infer(self, instances: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
        """The answer of the inference protocol to the same instances, by output; no log is written either."""
        protocol = InferenceProtocol(self.world.project, self.world.loader, self._predictor)
        tensors = [self._tensor(name, [one[name] for one in instances]) for name in instances[0]]
        body = json.dumps({"inputs": tensors}).encode()
        request = ProtocolRequest({"model": self.model.name}, body, now=self.now, batch="inference")
        answer = protocol.infer(request).document
        self.world.predictions.take()
        said = [one["name"] for one in protocol.metadata(request).document["outputs"]]
        assert said == list(self.model.objective.outputs)
        return {one["name"]: one["data"] for one in answer["outputs"]}

    @property
    def _predictor(self) -> PredictTask:
        world = self.world
        return PredictTask(
            world.project, world.online, world.live, world.loader, world.predictions, world.fallbacks, lambda: 0
        )

    def _tensor(self, name: str, data: list[Any]) -> Mapping[str, Any]:
        datatype = _DATATYPES[self.model.request.fields[name].type]
        return {"name": name, "shape": [len(data)], "datatype": datatype, "data": data}

    def file(self, since: Micros, until: Micros) -> pa.Table:
        """The predictions of a scored file of the requests of ``[since, until)``."""
        written = self.world.score(self.model.name, self._between(self.requests, since, until))
        return pq.read_table(io.BytesIO(written["predictions.parquet"]))

    def labelled(self) -> pa.Table:
        """The labelled predictions."""
        rows = self.world.lake.read(labelled_table(self.model.name))
        assert rows is not None
        return rows

    def report(self, day: DayDocument) -> Mapping[str, Any]:
        """The report of a day's check."""
        found = self.world.metrics.get(f"model#{self.model.name}", f"day#{day['day']}")
        assert found is not None
        return found

    def _drop(self, since: Micros, until: Micros) -> None:
        for source, rows in ((self.model.request, self.requests), (self.outcome_source, self.outcomes)):
            part = self._between(rows, since, until)
            assert not len(part) or self.world.drop(source.name, part, until).rejected == 0

    def _between(self, rows: pd.DataFrame, since: Micros, until: Micros) -> pd.DataFrame:
        return rows[(rows["at"] >= since) & (rows["at"] < until)].drop(columns="at")


@dataclass(frozen=True)
class Lived:
    """What happened to a model that went round the loop.

    Attributes:
        around: its world.
        first: the first training run.
        days: two days under the first version.
        asked: requests after these days, at one moment.
        answers: their answers over HTTP.
        tensors: their answers over the inference protocol.
        file: their answers in a scored file.
        second: the second training run.
        reviews: what each day's review did, until the release of the second version ended.
    """

    around: Round
    first: Any
    days: list[DayDocument]
    asked: list[dict[str, Any]]
    answers: list[Any]
    tensors: Mapping[str, Any]
    file: pa.Table
    second: Any
    reviews: list[ReviewStep]


def go_round(around: Round) -> Lived:
    """Train, serve for two days, answer in every way, train again, and review the release to its end."""
    first = around.train()
    assert first["accepted"], first["verdict"]["why"]
    days = [around.day() for _ in range(2)]
    until = around.now + HOUR // 2
    asked = around.instances(around.now, until)
    answers, tensors, file = around.ask(asked), around.infer(asked), around.file(around.now, until)
    second = around.train()
    assert second["accepted"], second["verdict"]["why"]
    reviews = [around.world.close_day(around.model.name, around.now)["release"]]
    while reviews[-1]["action"] in {"start", "step", "wait"}:
        reviews.append(around.day()["release"])
    return Lived(around, first, days, asked, answers, tensors, file, second, reviews)
