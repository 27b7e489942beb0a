"""The Open Inference Protocol's routes, so that its clients work unchanged.

Tensors in, tensors out: https://github.com/kserve/open-inference-protocol (required API, HTTP/REST).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from smallbox.define.model import Model
from smallbox.define.project import Project
from smallbox.errors import MalformedBody, NotReady
from smallbox.registry.loader import ModelLoader
from smallbox.serving.predict import PredictTask
from smallbox.times import Micros, Moment

_DATATYPES: Final = {"text": "BYTES", "timestamp": "BYTES", "number": "FP64", "integer": "INT64", "boolean": "BOOL"}


class InferenceProtocol:
    """Answers the protocol's routes with the predictions of ``PredictTask``."""

    def __init__(self, project: Project, shelf: ModelLoader, predictor: PredictTask) -> None:
        self._project = project
        self._shelf = shelf
        self._predictor = predictor

    def ready(self) -> Mapping[str, Any]:
        """Whether every model has a champion.

        Raises:
            NotReady: naming the first that has none.
        """
        for name in self._project.models:
            self._shelf.routing(name)
        return {"ready": True}

    def metadata(self, name: str) -> Mapping[str, Any]:
        """The input and output tensors of a model."""
        model = self._project.model(name)
        fields = model.request.fields
        inputs = [{"name": n, "datatype": _DATATYPES[fields[n].type], "shape": [-1]} for n in model.request_fields]
        output = {"name": "score", "datatype": "FP64", "shape": [-1]}
        return {
            "name": name,
            "versions": self._versions(name),
            "platform": "onnx_onnxv1",
            "inputs": inputs,
            "outputs": [output],
        }

    def _versions(self, name: str) -> list[str]:
        try:
            return [str(self._shelf.routing(name).champion)]
        except NotReady:
            return []

    def infer(self, name: str, document: Any, now: Micros, batch: str) -> Mapping[str, Any]:
        """Predict for the rows of the input tensors.

        Raises:
            MalformedBody: when the tensors are not flat and of one length; and as :meth:`Predictor.predict`.
        """
        model = self._project.model(name)
        answer = self._predictor.predict(name, {"instances": _instances(model, document)}, Moment(now), now, batch)
        predictions = answer["predictions"]
        scores = [p["score"] for p in predictions]
        return {
            "model_name": name,
            "model_version": str(predictions[0]["version"]),
            "id": document.get("id", batch),
            "outputs": [{"name": "score", "datatype": "FP64", "shape": [len(scores)], "data": scores}],
        }


def _instances(model: Model, document: Any) -> list[dict[str, Any]]:
    columns = {tensor["name"]: tensor["data"] for tensor in _tensors(document)}
    lengths = {len(data) for data in columns.values()}
    if len(lengths) != 1:
        raise MalformedBody(f"the input tensors of {model.name} must be flat and of one length; they have {lengths}")
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _tensors(document: Any) -> Sequence[Mapping[str, Any]]:
    tensors = document.get("inputs") if isinstance(document, Mapping) else None
    if not isinstance(tensors, list) or not all(_is_tensor(t) for t in tensors):
        raise MalformedBody('the body must be {"inputs": [{"name", "shape", "datatype", "data"}, ...]}')
    return tensors


def _is_tensor(tensor: Any) -> bool:
    return isinstance(tensor, Mapping) and isinstance(tensor.get("name"), str) and isinstance(tensor.get("data"), list)
