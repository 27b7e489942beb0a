"""Online predictions: routed, scored, answered, and logged with their inputs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from smallbox.define.model import Model
from smallbox.define.project import Project
from smallbox.errors import NotReady, NotStored, SmallboxError, Unavailable
from smallbox.features.live_views import LiveViewStore, check_ready
from smallbox.features.online.recent import StateCache
from smallbox.messages.encoded import EncodedMessage
from smallbox.messages.predictions import LoggedPredictions
from smallbox.ports import FallbackLog, Queue, StateReader
from smallbox.registry.loader import LoadedVersion, ModelLoader
from smallbox.serving.explain import Wanted, details
from smallbox.serving.logged_answers import Answered, Asked, logged, nulls
from smallbox.serving.requests import parse_instances, require
from smallbox.serving.steps import UNMEASURED, Steps, Ticks
from smallbox.serving.sticky_assignment import Share, shares_of
from smallbox.serving.vectors import online_vectors, unknown_vectors
from smallbox.times import Micros, Moment

_CANNOT_ANSWER: Final = (NotReady, NotStored, Unavailable)
"""What a version that cannot answer raises; the fallback answers then."""


class PredictTask:
    """Answers ``POST /models/{model}/predict``."""

    def __init__(
        self,
        project: Project,
        store: StateReader,
        live: LiveViewStore,
        loader: ModelLoader,
        log: Queue,
        fallbacks: FallbackLog,
        ticks: Ticks | None = None,
    ) -> None:
        self._project = project
        self._store = store
        self._recent = StateCache(store)
        self._live = live
        self._loader = loader
        self._log = log
        self._fallbacks = fallbacks
        self._ticks = ticks
        self._readable: set[tuple[str, int]] = set()

    def predict(self, name: str, document: Any, moment: Moment, now: Micros, batch: str) -> Mapping[str, Any]:
        """Predict for every instance as of one moment.

        Each instance is answered by the version that its key is assigned to, from the inputs of that version's own
        definition.

        Args:
            name: the model.
            document: the body, ``{"instances": [...]}``; ``"explain": true`` and ``"flags": true`` ask for more of each
                answer, see :mod:`smallbox.serving.explain`.
            moment: the moment of the features; a replay's may not lie before the watermark of a state.
            now: the present.
            batch: the request's id. The same batch gives the same prediction ids.

        Raises:
            NotFound: no such model.
            InvalidInput: the body or an instance is wrong, or lacks a field that its version needs; see
                :mod:`smallbox.serving.requests`.
            NotReady: no version serves, and the model has no fallback.
        """
        wanted = Wanted.by(document)
        steps = Steps(self._ticks if wanted.explanation else None)
        answers: dict[int, dict[str, Any]] = {}
        for part, answered, log in self._logged(name, document, moment, now, batch, steps):
            more = details(self._loader, answered, part.instances, wanted)
            own = _answers(answered, log, explain=wanted.explanation)
            answers.update(zip(part.rows, ({**one, **two} for one, two in zip(own, more, strict=True)), strict=True))
        steps.done("explain")
        times = {"milliseconds": steps.milliseconds()} if wanted.explanation else {}
        return {"model": name, "predictions": [answers[row] for row in sorted(answers)], **times}

    def tensors(self, name: str, document: Any, moment: Moment, now: Micros, batch: str) -> "Tensors":
        """As :meth:`predict`, with the outputs by column; ``None`` where a row's version has or gave no such number."""
        found = [(part.rows, answered) for part, answered, _ in self._logged(name, document, moment, now, batch)]
        rows = sum(len(own) for own, _ in found)
        outputs: dict[str, list[float | None]] = {}
        for own, answered in found:
            for output, values in zip(answered.signature.objective.outputs, answered.outputs.T, strict=True):
                column = outputs.setdefault(output, [None] * rows)
                for row, value in zip(own, nulls(values), strict=True):
                    column[row] = value
        first = next(answered.version for own, answered in found if 0 in own)
        return Tensors(first, outputs)

    def _logged(
        self, name: str, document: Any, moment: Moment, now: Micros, batch: str, steps: Steps = UNMEASURED
    ) -> list[tuple["_Request", Answered, LoggedPredictions]]:
        """The answers of each version, sent to the log."""
        model = self._project.model(name)
        instances = parse_instances(model.request, document)
        request = _Request(model, document["instances"], instances, range(len(instances)), moment, now, steps)
        steps.done("request")
        found = [(part, answered, logged(part.asked(batch), answered)) for part, answered in self._answered(request)]
        messages: list[EncodedMessage] = [message for _, _, log in found for message in log.messages()]
        self._log.send(messages)
        steps.done("log")
        return found

    def _answered(self, request: "_Request") -> Iterator[tuple["_Request", Answered]]:
        """The answers of each version, with the part of the request that they are for."""
        try:
            routing = self._loader.routing(request.model.name)
        except _CANNOT_ANSWER as error:
            yield request, self._fallback(request, error)
            return
        request.steps.done("routing")
        for share in shares_of(routing, [request.model.assigned_by(instance) for instance in request.instances]):
            part = request.part(share.rows)
            yield part, self._of_share(part, share)

    def _of_share(self, request: "_Request", share: Share) -> Answered:
        try:
            return self._of_version(request, share)
        except _CANNOT_ANSWER as error:
            return self._fallback(request, error)

    def _of_version(self, request: "_Request", share: Share) -> Answered:
        """The answers of a version. A replay expects what was drained just now, so it never uses remembered states."""
        version = self._loader.version(request.model.name, share.version)
        signature = version.signature
        require(request.model.request, signature.request_fields, request.raws, request.instances, request.rows)
        self._check_readable(version)
        request.steps.done("version")
        store = self._store if request.moment.is_replayed else self._recent.at(request.now)
        vectors = online_vectors(signature, request.instances, store, request.moment)
        request.steps.done("states")
        outputs = version.scorer.score(vectors.inputs.numeric, vectors.inputs.categorical)
        request.steps.done("score")
        return Answered(signature, vectors, outputs, share.arm, version.number)

    def _check_readable(self, version: LoadedVersion) -> None:
        """Raise unless the views of the version are live and filled; once per process, since live views stay so."""
        at = (version.signature.name, version.number)
        if at not in self._readable and version.signature.views:
            check_ready(self._live.read(), version.signature.views)
            self._readable.add(at)

    def _fallback(self, request: "_Request", error: SmallboxError) -> Answered:
        model, count = request.model, len(request.instances)
        if model.fallback_outputs is None:
            raise error
        self._fallbacks.fell_back(model.name, count, error)
        outputs = np.tile(model.fallback_outputs, (count, 1))
        return Answered(model, unknown_vectors(model, request.instances), outputs, "fallback", 0)


@dataclass(frozen=True, slots=True)
class Tensors:
    """The outputs of all instances of a request.

    Attributes:
        version: the version that answered the first instance; 0 for the fallback.
        outputs: by name the values of each output, in the order of the instances.
    """

    version: int
    outputs: Mapping[str, list[float | None]]


@dataclass(frozen=True, slots=True)
class _Request:
    """A request, or the part of it that one version answers.

    Attributes:
        raws: the instances as they were sent.
        instances: the same, validated.
        rows: their positions in the whole request.
        steps: measures what each step takes, when somebody asks.
    """

    model: Model
    raws: Sequence[Any]
    instances: Sequence[Mapping[str, Any]]
    rows: Sequence[int]
    moment: Moment
    now: Micros
    steps: Steps

    def part(self, rows: Sequence[int]) -> "_Request":
        raws, instances = ([values[row] for row in rows] for values in (self.raws, self.instances))
        return replace(self, raws=raws, instances=instances, rows=rows)

    def asked(self, batch: str) -> Asked:
        """The instances, with the ids that they have in the whole request."""
        as_of = np.full(len(self.rows), self.moment.at, np.int64)
        return Asked(self.instances, [f"{batch}-{row}" for row in self.rows], as_of, self.now, "online")


def _answers(answered: Answered, log: LoggedPredictions, *, explain: bool) -> list[dict[str, Any]]:
    objective, names = answered.signature.objective, {"version": "version", "arm": "arm", "missing": "missing"}
    answers = [
        {"id": key, **_readable(objective.answer(outputs)), **_row(log, names, index)}
        for index, (key, outputs) in enumerate(zip(log.columns["key"], answered.outputs.tolist(), strict=True))
    ]
    if explain:
        personal = answered.signature.personal_columns
        shown = {name: name for name in answered.signature.columns.names if name not in personal}
        for index, answer in enumerate(answers):
            answer["inputs"] = _row(log, shown, index)
    return answers


def _readable(answer: Mapping[str, Any]) -> dict[str, Any]:
    """An answer as JSON has it: null for NaN."""
    return {name: _readable(v) if isinstance(v, Mapping) else None if v != v else v for name, v in answer.items()}  # noqa: PLR0124


def _row(log: LoggedPredictions, names: Mapping[str, str], index: int) -> dict[str, Any]:
    """One row under the names that the answer has for the columns."""
    return {name: log.columns[column][index] for name, column in names.items()}
