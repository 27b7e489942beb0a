"""Online predictions: routed, scored, answered, and logged with their inputs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from smallbox.define.project import Project
from smallbox.features.live_views import LiveViewStore
from smallbox.messages.encoded import EncodedMessage
from smallbox.messages.predictions import LoggedPredictions, failed_request
from smallbox.ports import Queue, StateReader
from smallbox.records import Cause
from smallbox.registry.loader import ModelLoader
from smallbox.release.canary_marks import CanaryMark
from smallbox.serving.answering import Answering, Clock, Part
from smallbox.serving.explain import Wanted, add_details
from smallbox.serving.log_sender import LogSender
from smallbox.serving.logged_answers import Answered, logged, nulls
from smallbox.serving.predict_request import PredictRequest
from smallbox.serving.requests import parse_instances
from smallbox.serving.steps import UNMEASURED, Steps
from smallbox.serving_ports import FailureLog
from smallbox.times import Micros, Moment


class PredictTask:
    """Answers ``POST /models/{model}/predict``."""

    def __init__(
        self,
        project: Project,
        store: StateReader,
        live: LiveViewStore,
        loader: ModelLoader,
        log: Queue,
        failures: FailureLog,
        clock: Clock,
    ) -> None:
        self._project = project
        self._loader = loader
        self._clock = clock
        self.log = LogSender(log, failures)
        self.answering = Answering(store, live, loader, failures, clock, self._tell_failed)

    def predict(
        self, name: str, document: Any, moment: Moment, now: Micros, batch: str, *, fresh: bool = False
    ) -> Mapping[str, Any]:
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
            fresh: whether nothing that is remembered may be used.

        Raises:
            NotFound: no such model.
            InvalidInput: the body or an instance is wrong, or lacks a field that its version needs; see
                :mod:`smallbox.serving.requests`.
            NotReady: no version serves, and the model has no fallback.
        """
        wanted = Wanted.by(document)
        steps = Steps(self._clock) if wanted.explanation else UNMEASURED
        request = self.request_of(name, document, moment, now, fresh=fresh, steps=steps)
        found, is_logged = self._logged(request, batch)
        answers: dict[int, dict[str, Any]] = {}
        for part, log in found:
            own = answers_of(part.answered, log, explain=wanted.explanation)
            add_details(own, self._loader, part.answered, part.request.instances, wanted)
            answers.update(zip(part.request.rows, own, strict=True))
        predictions = [answers[row] for row in sorted(answers)]
        return {"model": name, "predictions": predictions, **({} if is_logged else {"logged": False}), **_times(steps)}

    def tensors(
        self, name: str, document: Any, moment: Moment, now: Micros, batch: str, version: int | None = None
    ) -> "Tensors":
        """As :meth:`predict`, with the outputs by column; ``None`` where a row's version has or gave no such number.

        Args:
            name: the model.
            document: the body.
            moment: the moment of the features.
            now: the present.
            batch: the request's id.
            version: the version that is to answer, of those that do now. Its answers are logged in the channel
                ``pinned``, which no release and no figure of accuracy or drift counts: the caller chose the rows.

        Raises:
            NotFound: the version does not answer requests now; and as :meth:`predict`.
            NotReady: as :meth:`predict`. The fallback does not answer for a version that the caller names.
        """
        found, is_logged = self._logged(self.request_of(name, document, moment, now, version), batch)
        rows = sum(len(part.request.rows) for part, _ in found)
        versions, outputs = [0] * rows, dict[str, list[float | None]]()
        degraded: list[Sequence[Cause]] = [()] * rows
        for part, _ in found:
            own, answered = part.request.rows, part.answered
            for row, causes in zip(own, answered.degraded, strict=True):
                versions[row], degraded[row] = answered.version, causes
            for output, values in zip(answered.signature.objective.outputs, answered.outputs.T, strict=True):
                column = outputs.setdefault(output, [None] * rows)
                for row, value in zip(own, nulls(values), strict=True):
                    column[row] = value
        return Tensors(versions, outputs, degraded, is_logged)

    def request_of(
        self,
        name: str,
        document: Any,
        moment: Moment,
        now: Micros,
        version: int | None = None,
        *,
        fresh: bool = False,
        steps: Steps = UNMEASURED,
    ) -> PredictRequest:
        """The request of a body, its instances validated; raises as :meth:`predict`."""
        model = self._project.model(name)
        instances, rows = parse_instances(model.request, document), range(len(document["instances"]))
        steps.done("request")
        return PredictRequest(model, document["instances"], instances, rows, moment, now, version, fresh, steps)

    def _tell_failed(self, request: PredictRequest, mark: CanaryMark) -> None:
        self.log.tell(failed_request(request.model.name, mark.as_json()), self.answering.left(request))

    def _logged(self, request: PredictRequest, batch: str) -> tuple[list[tuple[Part, LoggedPredictions]], bool]:
        """The answers of each version with their rows of the log, and whether the log's queue took these."""
        found = [
            (part, logged(part.request.asked(batch, part.as_of), part.answered))
            for part in self.answering.parts(request)
        ]
        messages: list[EncodedMessage] = [message for _, log in found for message in log.messages()]
        is_logged = self.log.send(request.model, messages, request.now, self.answering.left(request))
        request.steps.done("log")
        return found, is_logged


@dataclass(frozen=True, slots=True)
class Tensors:
    """The outputs of all instances of a request.

    Attributes:
        versions: the version that answered each instance; 0 for the fallback.
        outputs: by name the values of each output, in the order of the instances.
        degraded: for each instance, why it was not answered as usual.
        is_logged: whether the log's queue took the rows.
    """

    versions: Sequence[int]
    outputs: Mapping[str, list[float | None]]
    degraded: Sequence[Sequence[Cause]]
    is_logged: bool


def answers_of(answered: Answered, log: LoggedPredictions, *, explain: bool) -> list[dict[str, Any]]:
    """The answers as a caller sees them, in the order of the part."""
    objective, names = answered.signature.objective, {"version": "version", "arm": "arm", "missing": "missing"}
    names["prediction_id"] = "id"
    answers = [
        {"id": key, **_readable(objective.answer(outputs)), **_row(log, names, index)}
        for index, (key, outputs) in enumerate(zip(log.columns["key"], answered.outputs.tolist(), strict=True))
    ]
    for answer, causes in zip(answers, answered.degraded, strict=True):
        if causes:
            answer["degraded"] = list(causes)
        if answered.is_remembered:
            answer["remembered"] = True
    if explain:
        personal = answered.signature.personal_columns
        shown = {name: name for name in answered.signature.columns.names if name not in personal}
        for index, answer in enumerate(answers):
            answer["inputs"] = _row(log, shown, index)
    return answers


def _times(steps: Steps) -> dict[str, Any]:
    """The times by step, when they were measured; the last is that of the explanations."""
    steps.done("explain")
    taken = steps.milliseconds()
    return {"milliseconds": taken} if taken else {}


def _readable(answer: Mapping[str, Any]) -> dict[str, Any]:
    """An answer as JSON has it: null for NaN."""
    return {name: _readable(v) if isinstance(v, Mapping) else None if v != v else v for name, v in answer.items()}  # noqa: PLR0124


def _row(log: LoggedPredictions, names: Mapping[str, str], index: int) -> dict[str, Any]:
    """One row under the names that the answer has for the columns."""
    return {name: log.columns[column][index] for name, column in names.items()}
