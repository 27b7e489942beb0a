"""Online predictions: routed, scored, answered, and logged with their inputs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from smallbox.arrays import Bools, Floats, Ints
from smallbox.define.model import Model
from smallbox.define.project import Project
from smallbox.errors import NotReady, NotStored, Unavailable
from smallbox.features.online.readiness import ReadableVersions
from smallbox.features.online.recent import StateCache
from smallbox.lake.names import logged_names
from smallbox.messages.predictions import LoggedPredictions
from smallbox.ports import FallbackLog, Queue, StateReader
from smallbox.records import Channel
from smallbox.registry.loader import ModelLoader
from smallbox.serving.requests import parse_instances
from smallbox.serving.sticky_assignment import arm_of
from smallbox.serving.vectors import Vectors, online_vectors, unknown_vectors
from smallbox.table_columns import ENTITY_PREFIX
from smallbox.times import Micros, Moment


@dataclass(frozen=True, slots=True)
class Asked:
    """When and how a batch of instances was asked for.

    Attributes:
        as_of: the moment of each instance, ``(n,)``; its event time too, unless the caller sends another.
        now: the present.
        batch: names the batch; with the instance's place in it, the prediction's id.
        channel: ``online`` or ``batch``.
    """

    as_of: Ints
    now: Micros
    batch: str
    channel: Channel


@dataclass(frozen=True, slots=True)
class Scored:
    """The answers of a batch, row by row.

    Attributes:
        scores: the probability of the label, from 0 to 1.
        arms: ``champion``, ``challenger`` or ``fallback``.
        versions: the version that answered; 0 for the fallback.
    """

    scores: list[float]
    arms: list[str]
    versions: list[int]


def score_batch(model: Model, loader: ModelLoader, keys: Sequence[str], vectors: Vectors) -> Scored:
    """Score each row with the version that its key is assigned to."""
    routing = loader.routing(model.name)
    arms = [arm_of(routing, key) for key in keys]
    scores = np.empty(len(keys))
    for arm in set(arms):
        rows = np.array([a == arm for a in arms])
        scorer = loader.scorer(model, routing.version_of(arm))
        scores[rows] = scorer.score(vectors.inputs.numeric[rows], vectors.inputs.categorical[rows])
    return Scored([float(s) for s in scores], list(arms), [routing.version_of(arm) for arm in arms])


def logged(
    model: Model,
    instances: Sequence[Mapping[str, Any]],
    vectors: Vectors,
    scored: Scored,
    asked: Asked,
) -> LoggedPredictions:
    """The columns of the prediction log: what was asked, with which inputs, and what was answered."""
    inputs, rows = vectors.inputs, len(instances)
    sent = {column: [i.get(name) for i in instances] for name, column in logged_names(model).items()}
    numeric = {name: _nulls(column) for name, column in zip(model.columns.numeric, inputs.numeric.T, strict=True)}
    texts = {
        name: column.tolist() for name, column in zip(model.columns.categorical, inputs.categorical.T, strict=True)
    }
    as_of = asked.as_of.tolist()
    columns = {
        "id": [f"{asked.batch}-{index}" for index in range(rows)],
        "key": [model.key_of(instance) for instance in instances],
        "time": as_of,
        "event_time": [_event_time(model, i, at) for i, at in zip(instances, as_of, strict=True)],
        "served_at": [asked.now] * rows,
        "version": scored.versions,
        "arm": scored.arms,
        "channel": [asked.channel] * rows,
        "score": scored.scores,
        "missing": [_missing(model, row) for row in inputs.missing],
        **numeric,
        **texts,
        **sent,
        **{ENTITY_PREFIX + name: list(column) for name, column in vectors.entities.items()},
    }
    return LoggedPredictions(model.name, columns, (*texts, *sent))


def _nulls(column: Floats) -> list[float | None]:
    return [None if value != value else value for value in column.tolist()]  # noqa: PLR0124 - NaN is unlike itself


def _event_time(model: Model, instance: Mapping[str, Any], as_of: Micros) -> Micros:
    """The event time that the caller sent, else the moment of the request."""
    sent: Micros | None = instance.get(model.request.time)
    return as_of if sent is None else sent


def _missing(model: Model, row: Bools) -> list[str]:
    return [name for name, is_missing in zip(model.stored, row, strict=True) if is_missing]


class PredictTask:
    """Answers ``POST /models/{model}/predict``."""

    def __init__(
        self, project: Project, store: StateReader, loader: ModelLoader, log: Queue, fallbacks: FallbackLog
    ) -> None:
        self._project = project
        self._store = store
        self._recent = StateCache(store)
        self._loader = loader
        self._log = log
        self._fallbacks = fallbacks
        self._ready = ReadableVersions()

    def predict(self, name: str, document: Any, moment: Moment, now: Micros, batch: str) -> Mapping[str, Any]:
        """Predict for every instance as of one moment.

        Args:
            name: the model.
            document: the body, ``{"instances": [...]}``; with ``"explain": true`` each answer shows the inputs that are
                not personal.
            moment: the moment of the features; a replay's may not lie before the watermark of a state.
            now: the present.
            batch: the request's id. The same batch gives the same prediction ids.

        Raises:
            NotFound: no such model.
            InvalidInput: the body or an instance is wrong; see :func:`~smallbox.serving.requests.parse_instances`.
            NotReady: no version serves, and the model has no fallback.
        """
        model = self._project.model(name)
        instances = parse_instances(model, document)
        vectors, scored = self._answered(model, instances, moment, now)
        moments = np.full(len(instances), moment.at, np.int64)
        log = logged(model, instances, vectors, scored, Asked(moments, now, batch, "online"))
        self._log.send(log.messages())
        return {"model": name, "predictions": _answers(model, log, explain=document.get("explain") is True)}

    def _answered(
        self, model: Model, instances: Sequence[Mapping[str, Any]], moment: Moment, now: Micros
    ) -> tuple[Vectors, Scored]:
        """Inputs and scores; the model's fallback when the store or the version cannot answer.

        A replay expects what was drained just now, so it never uses remembered states.
        """
        store = self._store if moment.is_replayed else self._recent.at(now)
        try:
            vectors = online_vectors(model, instances, store, self._ready, moment)
            return vectors, score_batch(model, self._loader, [model.key_of(i) for i in instances], vectors)
        except (NotReady, NotStored, Unavailable) as error:
            if model.fallback is None:
                raise
            count = len(instances)
            self._fallbacks.fell_back(model.name, count, error)
            return unknown_vectors(model, instances), Scored(
                [model.fallback] * count, ["fallback"] * count, [0] * count
            )


def _answers(model: Model, log: LoggedPredictions, *, explain: bool) -> list[dict[str, Any]]:
    names = {"id": "key", "score": "score", "version": "version", "arm": "arm", "missing": "missing"}
    answers = [_row(log, names, index) for index in range(len(log))]
    if explain:
        shown = {name: name for name in model.columns.names if name not in model.personal_columns}
        for index, answer in enumerate(answers):
            answer["inputs"] = _row(log, shown, index)
    return answers


def _row(log: LoggedPredictions, names: Mapping[str, str], index: int) -> dict[str, Any]:
    """One row under the names that the answer has for the columns."""
    return {name: log.columns[column][index] for name, column in names.items()}
