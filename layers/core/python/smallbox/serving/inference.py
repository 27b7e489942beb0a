"""The Open Inference Protocol's routes, so that its clients work unchanged.

Tensors in, tensors out: https://github.com/kserve/open-inference-protocol (required API, HTTP/REST).
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from smallbox.define.model import Model
from smallbox.define.project import Project
from smallbox.define.signature import Signature
from smallbox.errors import MalformedBody, NotReady
from smallbox.registry.loader import ModelLoader
from smallbox.serving.predict import PredictTask
from smallbox.times import Micros, Moment

_DATATYPES: Final = {"text": "BYTES", "timestamp": "BYTES", "number": "FP64", "integer": "INT64", "boolean": "BOOL"}
"""What the metadata says of a field of a type."""

_NUMBERS: Final = frozenset(f"{kind}{bits}" for kind in ("INT", "UINT") for bits in (8, 16, 32, 64)) | {
    "FP16", "BF16", "FP32", "FP64",
}  # fmt: skip
_TAKEN: Final[Mapping[str, frozenset[str]]] = {
    "text": frozenset({"BYTES"}),
    "timestamp": frozenset({"BYTES"}),
    "number": _NUMBERS,
    "integer": _NUMBERS,
    "boolean": frozenset({"BOOL"}),
}
"""The datatypes that a tensor may have, by the type of its field.

Numbers arrive as JSON, so their width does not matter; the contract decides which values an integer field takes.
"""


class InferenceProtocol:
    """Answers the protocol's routes with the predictions of ``PredictTask``."""

    def __init__(self, project: Project, loader: ModelLoader, predictor: PredictTask) -> None:
        self._project = project
        self._loader = loader
        self._predictor = predictor

    def ready(self) -> Mapping[str, Any]:
        """Whether every model has a champion.

        Raises:
            NotReady: naming the first that has none.
        """
        for name in self._project.models:
            self._loader.routing(name)
        return {"ready": True}

    def metadata(self, name: str) -> Mapping[str, Any]:
        """The input and output tensors of a model: all that any version needs or gives which answers now."""
        model = self._project.model(name)
        fields = model.request.fields
        signatures = self._signatures(model)
        needed = dict.fromkeys(field for one in signatures for field in one.request_fields)
        given = dict.fromkeys(output for one in signatures for output in one.objective.outputs)
        inputs = [{"name": n, "datatype": _DATATYPES[fields[n].type], "shape": [-1]} for n in needed]
        outputs = [{"name": n, "datatype": "FP64", "shape": [-1]} for n in given]
        return {
            "name": name,
            "versions": self._versions(name),
            "platform": "onnx_onnxv1",
            "inputs": inputs,
            "outputs": outputs,
        }

    def _signatures(self, model: Model) -> Sequence[Signature]:
        """Those of every version that answers now; the definition before the first."""
        try:
            routing = self._loader.routing(model.name)
        except NotReady:
            return [model]
        return [self._loader.version(model.name, number).signature for number in routing.versions]

    def _versions(self, name: str) -> list[str]:
        try:
            return [str(self._loader.routing(name).champion)]
        except NotReady:
            return []

    def infer(self, name: str, document: Any, now: Micros, batch: str) -> Mapping[str, Any]:
        """Predict for the rows of the input tensors.

        Raises:
            MalformedBody: when the tensors are not what the protocol asks for, or not flat and of one length; and as
                :meth:`PredictTask.predict`.
        """
        model = self._project.model(name)
        answered = self._predictor.tensors(name, {"instances": _instances(model, document)}, Moment(now), now, batch)
        return {
            "model_name": name,
            "model_version": str(answered.version),
            "id": document.get("id", batch),
            "outputs": [
                {"name": output, "datatype": "FP64", "shape": [len(values)], "data": values}
                for output, values in answered.outputs.items()
            ],
        }


def _instances(model: Model, document: Any) -> list[dict[str, Any]]:
    columns = _columns(model, _tensors(document))
    lengths = {len(data) for data in columns.values()}
    if len(lengths) != 1 or 0 in lengths:
        have = ", ".join(map(str, sorted(lengths)))
        raise MalformedBody(f"the input tensors of {model.name} must have one length, at least 1; they have {have}")
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _tensors(document: Any) -> Sequence[Mapping[str, Any]]:
    tensors = document.get("inputs") if isinstance(document, Mapping) else None
    if not isinstance(tensors, list) or not tensors or not all(_is_tensor(t) for t in tensors):
        raise MalformedBody('the body must be {"inputs": [{"name", "shape", "datatype", "data"}, ...]}')
    if not isinstance(document.get("id", ""), str):
        raise MalformedBody("the id of a request must be a text")
    return tensors


def _is_tensor(tensor: Any) -> bool:
    kinds = {"name": str, "shape": list, "datatype": str, "data": list}
    return isinstance(tensor, Mapping) and all(isinstance(tensor.get(name), kind) for name, kind in kinds.items())


def _columns(model: Model, tensors: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """The data of each tensor by its name."""
    columns: dict[str, list[Any]] = {}
    for tensor in tensors:
        if tensor["name"] in columns:
            raise MalformedBody(f"there are two input tensors of the name {tensor['name']!r}", tensor=tensor["name"])
        _check(model, tensor)
        columns[tensor["name"]] = tensor["data"]
    return columns


def _check(model: Model, tensor: Mapping[str, Any]) -> None:
    """Raise unless the tensor's shape and datatype are those of its data and its field.

    A name that is no field of the model's request is left to the contract.
    """
    name, shape, data = tensor["name"], tensor["shape"], tensor["data"]
    if any(isinstance(value, list) for value in data):
        raise MalformedBody(f"the data of tensor {name!r} must be flat", tensor=name)
    if not all(type(size) is int and size >= 0 for size in shape) or math.prod(shape) != len(data):
        raise MalformedBody(f"the shape of tensor {name!r} does not fit its {len(data)} values", tensor=name)
    field = model.request.fields.get(name)
    if field is not None and tensor["datatype"] not in _TAKEN[field.type]:
        expected = _DATATYPES[field.type]
        raise MalformedBody(
            f"the datatype of tensor {name!r} is {tensor['datatype']!r}; send {expected} for a {field.type} field",
            tensor=name,
        )
