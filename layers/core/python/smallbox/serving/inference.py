"""The Open Inference Protocol's routes, so that its clients work unchanged.

Tensors in, tensors out: https://github.com/kserve/open-inference-protocol (required API, HTTP/REST).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from smallbox import __version__
from smallbox.define.model import Model
from smallbox.define.project import Project
from smallbox.define.signature import Signature
from smallbox.errors import MalformedBody, NotReady
from smallbox.ingestion.http_body import parse_json
from smallbox.registry.loader import ModelLoader
from smallbox.serving.binary_tensors import joined_body, split_body
from smallbox.serving.predict import PredictTask, Tensors
from smallbox.serving.rate_limits import RateLimiter
from smallbox.serving.sticky_assignment import pinned
from smallbox.serving.tensors import DATATYPES, InferRequest, infer_request, output_tensors
from smallbox.times import Micros, Moment

_EXTENSIONS: Final = ("binary_tensor_data",)


@dataclass(frozen=True, slots=True)
class ProtocolRequest:
    """What a route of the protocol reads of an HTTP request.

    Attributes:
        names: the parameters of the path: ``model`` and ``version``, where the route has them.
        body: the body.
        header_length: the header ``Inference-Header-Content-Length``; ``None`` without it.
        now: the present.
        batch: the request's id.
        consumer: who calls.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    header_length: str | None = None
    now: Micros = 0
    batch: str = ""
    consumer: str = ""


@dataclass(frozen=True, slots=True)
class ProtocolAnswer:
    """A successful answer: JSON, or JSON and bytes behind it.

    Attributes:
        document: the JSON.
        tensors: the bytes of binary tensors, in order; empty when the answer is JSON alone.
    """

    document: Mapping[str, Any]
    tensors: tuple[bytes, ...] = ()

    def with_bytes(self) -> tuple[bytes, dict[str, str]]:
        """The whole body, and the headers that it needs."""
        return joined_body(self.document, self.tensors)


class InferenceProtocol:
    """Answers the protocol's routes with the predictions of ``PredictTask``."""

    def __init__(
        self, project: Project, loader: ModelLoader, predictor: PredictTask, limiter: RateLimiter | None = None
    ) -> None:
        self._project = project
        self._loader = loader
        self._predictor = predictor
        self._limiter = limiter

    @property
    def routes(self) -> Mapping[str, Callable[[ProtocolRequest], ProtocolAnswer]]:
        """The function that answers each route, by method and path."""
        return {
            "GET /v2": self.server,
            "GET /v2/health/live": self.live,
            "GET /v2/health/ready": self.all_ready,
            "GET /v2/models/{model}": self.metadata,
            "GET /v2/models/{model}/ready": self.ready,
            "POST /v2/models/{model}/infer": self.infer,
            "GET /v2/models/{model}/versions/{version}": self.metadata,
            "GET /v2/models/{model}/versions/{version}/ready": self.ready,
            "POST /v2/models/{model}/versions/{version}/infer": self.infer,
        }

    def server(self, _request: ProtocolRequest) -> ProtocolAnswer:
        """The name of the server, its version, and the protocol's extensions that it has."""
        return ProtocolAnswer({"name": "smallbox", "version": __version__, "extensions": list(_EXTENSIONS)})

    def live(self, _request: ProtocolRequest) -> ProtocolAnswer:
        """The server answers."""
        return ProtocolAnswer({"live": True})

    def all_ready(self, _request: ProtocolRequest) -> ProtocolAnswer:
        """Whether every model has a champion.

        Raises:
            NotReady: naming the first that has none.
        """
        for name in self._project.models:
            self._loader.routing(name)
        return ProtocolAnswer({"ready": True})

    def ready(self, request: ProtocolRequest) -> ProtocolAnswer:
        """Whether a model has a champion; whether a version of it, where one is named, answers requests and is loaded.

        Raises:
            NotFound: no such model, or its version does not answer requests.
            NotReady: it has no champion, or the version cannot be loaded.
        """
        model, version = self._model(request), _version_of(request)
        for number in self._answering(model, version):
            self._loader.version(model.name, number)
        return ProtocolAnswer({"name": model.name, "ready": True})

    def metadata(self, request: ProtocolRequest) -> ProtocolAnswer:
        """The input and output tensors of a model, or of the version that is named.

        Raises:
            NotFound: no such model, or its version does not answer requests.
        """
        model, version = self._model(request), _version_of(request)
        signatures = self._signatures(model, version)
        needed = dict.fromkeys(name for one in signatures for name in one.request_fields)
        fields = model.request.fields
        return ProtocolAnswer(
            {
                "name": model.name,
                "versions": self._versions(model),
                "platform": "onnx_onnxv1",
                "inputs": [{"name": n, "datatype": DATATYPES[fields[n].type], "shape": [-1]} for n in needed],
                "outputs": [{"name": n, "datatype": "FP64", "shape": [-1]} for n in _outputs_of(signatures)],
            }
        )

    def infer(self, request: ProtocolRequest) -> ProtocolAnswer:
        """Predict for the rows of the input tensors, by the routing, or by the version that is named.

        Raises:
            MalformedBody: when the body is not what the protocol asks for; and as :meth:`PredictTask.tensors`.
        """
        model, version = self._model(request), _version_of(request)
        asked = self._asked(model, version, request)
        if self._limiter is not None:
            self._limiter.admit(model, request.consumer, len(asked.instances), request.now)
        answered = self._predictor.tensors(
            model.name, {"instances": asked.instances}, Moment(request.now), request.now, request.batch, version
        )
        tensors, contents = output_tensors(answered.outputs, asked)
        document = {"model_name": model.name, **_answered_by(answered), "id": asked.id or request.batch}
        return ProtocolAnswer({**document, "outputs": tensors}, tuple(contents))

    def _asked(self, model: Model, version: int | None, request: ProtocolRequest) -> InferRequest:
        content, tensors = split_body(request.body, request.header_length)
        asked = infer_request(model, parse_json(content), tensors)
        if asked.outputs:
            known = _outputs_of(self._signatures(model, version))
            unknown = [name for name in asked.outputs if name not in known]
            if unknown:
                raise MalformedBody(f"{model.name} has no output {unknown[0]!r}; it has {', '.join(known)}")
        return asked

    def _model(self, request: ProtocolRequest) -> Model:
        return self._project.model(request.names["model"])

    def _signatures(self, model: Model, version: int | None) -> list[Signature]:
        """The signatures of the versions that answer now, or of one of them; the definition before the first."""
        try:
            numbers = self._answering(model, version)
        except NotReady:
            if version is not None:
                raise
            return [model]
        return [self._loader.version(model.name, number).signature for number in numbers]

    def _answering(self, model: Model, version: int | None) -> tuple[int, ...]:
        routing = self._loader.routing(model.name)
        return routing.versions if version is None else (pinned(routing, model.name, version, ()).version,)

    def _versions(self, model: Model) -> list[str]:
        try:
            return [str(number) for number in self._loader.routing(model.name).versions]
        except NotReady:
            return []


def _version_of(request: ProtocolRequest) -> int | None:
    """The version that the path names; -1, which no version is, when that is no number."""
    version = request.names.get("version")
    if version is None:
        return None
    return int(version) if version.isascii() and version.isdigit() else -1


def _outputs_of(signatures: list[Signature]) -> list[str]:
    return list(dict.fromkeys(name for one in signatures for name in one.objective.outputs))


def _answered_by(answered: Tensors) -> dict[str, Any]:
    """The version that answered; where several did, that of each row."""
    if len(set(answered.versions)) == 1:
        return {"model_version": str(answered.versions[0])}
    return {"parameters": {"model_versions": ",".join(map(str, answered.versions))}}
