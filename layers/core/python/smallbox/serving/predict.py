"""Online predictions: routed, scored, answered, and logged with the features they were made from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from smallbox.arrays import Ints
from smallbox.define.model import Model
from smallbox.define.project import Project
from smallbox.errors import NotReady, NotStored, Unavailable
from smallbox.features.online.ready import Ready
from smallbox.features.online.recent import RecentStates
from smallbox.messages.predictions import pack_predictions
from smallbox.ports import Journal, Queue, StateReader
from smallbox.records import Channel
from smallbox.registry.loader import ModelLoader
from smallbox.serving.assign import arm_of
from smallbox.serving.requests import parse_instances
from smallbox.serving.vectors import Vectors, online_vectors, unknown_vectors
from smallbox.times import Micros, Moment


@dataclass(frozen=True, slots=True)
class Scored:
    """What the arms answered, row by row of a batch.

    Attributes:
        scores: probability of the label.
        arms: ``champion``, ``challenger`` or ``fallback``.
        versions: the version that answered; 0 for the fallback.
    """

    scores: list[float]
    arms: list[str]
    versions: list[int]


def score_batch(model: Model, shelf: ModelLoader, keys: Sequence[str], vectors: Vectors) -> Scored:
    """Score each row with the version that its key is assigned to."""
    routing = shelf.routing(model.name)
    arms = [arm_of(routing, key) for key in keys]
    scores = np.empty(len(keys))
    for arm in set(arms):
        rows = np.array([a == arm for a in arms])
        scorer = shelf.scorer(model, routing.version_of(arm))
        scores[rows] = scorer.score(vectors.inputs.numeric[rows], vectors.inputs.categorical[rows])
    return Scored([float(s) for s in scores], list(arms), [routing.version_of(arm) for arm in arms])


def log_rows(
    model: Model,
    instances: Sequence[Mapping[str, Any]],
    vectors: Vectors,
    scored: Scored,
    as_of: Ints,
    now: Micros,
    batch: str,
    channel: Channel,
) -> list[dict[str, Any]]:
    """The rows of the prediction log: what was asked, with what features, and what was answered.

    ``as_of`` holds the moment that each instance was asked for; its event time is the same unless the caller sends it.
    ``batch`` and an instance's place in it make its id.
    """
    rows = []
    inputs, stored = vectors.inputs, model.stored
    extra = [name for name in vectors.sent if name not in model.inputs]
    for index, instance in enumerate(instances):
        numeric = [None if np.isnan(v) else float(v) for v in inputs.numeric[index]]
        event_time = instance.get(model.request.time)
        rows.append(
            {
                "id": f"{batch}-{index}",
                "key": model.key_of(instance),
                "time": int(as_of[index]),
                "event_time": int(as_of[index]) if event_time is None else event_time,
                "served_at": now,
                "version": scored.versions[index],
                "arm": scored.arms[index],
                "channel": channel,
                "score": scored.scores[index],
                "inputs": dict(zip(model.columns.names, [*numeric, *inputs.categorical[index]], strict=True)),
                "sent": {name: instance.get(name) for name in extra},
                "missing": [name for name, is_missing in zip(stored, inputs.missing[index], strict=True) if is_missing],
                "entities": {name: column[index] for name, column in vectors.entities.items()},
            }
        )
    return rows


class PredictTask:
    """Answers ``POST /models/{model}/predict``."""

    def __init__(self, project: Project, store: StateReader, shelf: ModelLoader, log: Queue, journal: Journal) -> None:
        self._project = project
        self._store = store
        self._recent = RecentStates(store)
        self._shelf = shelf
        self._log = log
        self._journal = journal
        self._ready = Ready()

    def predict(self, name: str, document: Any, moment: Moment, now: Micros, batch: str) -> Mapping[str, Any]:
        """Predict for every instance as of one moment.

        Args:
            name: the model.
            document: the body, ``{"instances": [...]}``; with ``"explain": true`` answers show their inputs, but
                not personal ones.
            moment: the moment that the features are of; a replay's may not lie before what the store holds already.
            now: the present.
            batch: names the request in the log; sending the same batch again logs the same ids.

        Raises:
            NotFound: no such model. ContractViolation and the like: an instance is wrong.
            NotReady: no version serves, and the model has no fallback.
        """
        model = self._project.model(name)
        instances = parse_instances(model, document)
        vectors, scored = self._answered(model, instances, moment, now)
        moments = np.full(len(instances), moment.at, np.int64)
        rows = log_rows(model, instances, vectors, scored, moments, now, batch, "online")
        self._log.send(pack_predictions(name, rows))
        explain = document.get("explain") is True
        return {"model": name, "predictions": [_answer(model, row, explain=explain) for row in rows]}

    def _answered(
        self, model: Model, instances: Sequence[Mapping[str, Any]], moment: Moment, now: Micros
    ) -> tuple[Vectors, Scored]:
        """Inputs and scores; where store or model cannot answer, those that the definition falls back on.

        A replay asks for what was drained just now, so it always reads the store.
        """
        store = self._store if moment.is_replayed else self._recent.at(now)
        try:
            vectors = online_vectors(model, instances, store, self._ready, moment)
            return vectors, score_batch(model, self._shelf, [model.key_of(i) for i in instances], vectors)
        except (NotReady, NotStored, Unavailable) as error:
            if model.fallback is None:
                raise
            count = len(instances)
            self._journal.fell_back(model.name, count, error)
            return unknown_vectors(model, instances), Scored(
                [model.fallback] * count, ["fallback"] * count, [0] * count
            )


def _answer(model: Model, row: Mapping[str, Any], *, explain: bool) -> dict[str, Any]:
    answer = {
        "id": row["key"],
        "score": row["score"],
        "version": row["version"],
        "arm": row["arm"],
        "missing": row["missing"],
    }
    if explain:
        hidden = model.personal_columns
        answer["inputs"] = {name: value for name, value in row["inputs"].items() if name not in hidden}
    return answer
