"""Tensors of the Open Inference Protocol: a request's, checked against the model's fields, and an answer's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from smallbox.define.model import Model
from smallbox.errors import MalformedBody
from smallbox.serving.binary_tensors import BINARY_SIZE, numbers_as_bytes, with_data

DATATYPES: Final = {"text": "BYTES", "timestamp": "BYTES", "number": "FP64", "integer": "INT64", "boolean": "BOOL"}
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

The width of a number does not matter; the contract decides which values an integer field takes.
"""


@dataclass(frozen=True, slots=True)
class InferRequest:
    """A checked request.

    Attributes:
        id: the caller's id; ``None`` without one.
        instances: the rows.
        outputs: the outputs asked for, in order, and whether each is to come as bytes; ``None`` for all.
        is_binary: whether outputs that say nothing themselves are to come as bytes.
    """

    id: str | None
    instances: Sequence[Mapping[str, Any]]
    outputs: Mapping[str, bool] | None
    is_binary: bool


def infer_request(model: Model, document: Any, content: bytes = b"") -> InferRequest:
    """Check the JSON of a request, and the bytes of its binary tensors.

    Parameters that this server does not know are left alone, as the protocol has it.

    Raises:
        MalformedBody: when they are not what the protocol asks for, or the tensors do not have one value for each row.
    """
    if not isinstance(document, Mapping):
        raise MalformedBody('the body must be {"inputs": [{"name", "shape", "datatype", "data"}, ...]}')
    if not isinstance(document.get("id", ""), str):
        raise MalformedBody("the id of a request must be a text")
    is_binary = _flag(document, "binary_data_output", otherwise=False)
    columns = _columns(model, _tensors(document, content))
    return InferRequest(document.get("id"), _rows(model, columns), _wanted(document, is_binary=is_binary), is_binary)


def _rows(model: Model, columns: Mapping[str, list[Any]]) -> list[dict[str, Any]]:
    lengths = {len(data) for data in columns.values()}
    if len(lengths) != 1 or 0 in lengths:
        have = ", ".join(map(str, sorted(lengths)))
        raise MalformedBody(f"the input tensors of {model.name} must have one length, at least 1; they have {have}")
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _tensors(document: Mapping[str, Any], content: bytes) -> Sequence[Mapping[str, Any]]:
    sent = document.get("inputs")
    tensors = with_data(sent, content) if isinstance(sent, list) and all(isinstance(t, Mapping) for t in sent) else []
    if not tensors or not all(_is_tensor(tensor) for tensor in tensors):
        raise MalformedBody('the body must be {"inputs": [{"name", "shape", "datatype", "data"}, ...]}')
    return tensors


def _is_tensor(tensor: Any) -> bool:
    kinds = {"name": str, "shape": list, "datatype": str, "data": list}
    return all(isinstance(tensor.get(name), kind) for name, kind in kinds.items())


def _wanted(document: Mapping[str, Any], *, is_binary: bool) -> dict[str, bool] | None:
    wanted = document.get("outputs")
    if wanted is None:
        return None
    if not isinstance(wanted, list) or not all(_is_named(one) for one in wanted):
        raise MalformedBody('outputs must be [{"name": ...}, ...]; leave it out for all')
    return {one["name"]: _flag(one, "binary_data", otherwise=is_binary) for one in wanted}


def _is_named(one: Any) -> bool:
    return isinstance(one, Mapping) and isinstance(one.get("name"), str)


def _flag(holder: Mapping[str, Any], name: str, *, otherwise: bool) -> bool:
    """A parameter that is true or false."""
    parameters = holder.get("parameters")
    if parameters is not None and not isinstance(parameters, Mapping):
        raise MalformedBody("parameters must be an object")
    flag = (parameters or {}).get(name, otherwise)
    if not isinstance(flag, bool):
        raise MalformedBody(f"the parameter {name} must be true or false")
    return flag


def _columns(model: Model, tensors: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """The values of each tensor by its name."""
    columns: dict[str, list[Any]] = {}
    for tensor in tensors:
        if tensor["name"] in columns:
            raise MalformedBody(f"there are two input tensors of the name {tensor['name']!r}", tensor=tensor["name"])
        columns[tensor["name"]] = _checked(model, tensor)
    return columns


def _checked(model: Model, tensor: Mapping[str, Any]) -> list[Any]:
    """The values of a tensor, whose shape and datatype are those of its values and its field.

    A name that is no field of the model's request is left to the contract.
    """
    name, shape, datatype = tensor["name"], tensor["shape"], tensor["datatype"]
    data = _flat(tensor["data"], name)
    rows = len(data)
    if not all(type(size) is int for size in shape) or shape not in ([rows], [rows, 1]):
        raise MalformedBody(
            f"the shape of tensor {name!r} does not fit its {rows} values; send [{rows}] or [{rows}, 1]", tensor=name
        )
    field = model.request.fields.get(name)
    if field is not None and datatype not in _TAKEN[field.type]:
        expected = DATATYPES[field.type]
        raise MalformedBody(
            f"the datatype of tensor {name!r} is {datatype!r}; send {expected} for a {field.type} field", tensor=name
        )
    return [_as_bool(value) for value in data] if datatype == "BOOL" else data


def _flat(data: list[Any], name: str) -> list[Any]:
    """The values of flat data, or of a column: a list of one value for each row."""
    values = [value[0] if isinstance(value, list) and len(value) == 1 else value for value in data]
    if any(isinstance(value, list) for value in values):
        raise MalformedBody(
            f"the data of tensor {name!r} must be flat, or one list of one value for each row", tensor=name
        )
    return values


def _as_bool(value: Any) -> Any:
    """0 and 1 as false and true: some clients turn a boolean into a number."""
    return bool(value) if isinstance(value, int | float) and value in (0, 1) else value


def output_tensors(
    outputs: Mapping[str, Sequence[float | None]], request: InferRequest
) -> tuple[list[dict[str, Any]], list[bytes]]:
    """The output tensors as JSON, and the bytes of those that are to come as bytes."""
    tensors, contents = [], []
    for name, is_binary in (request.outputs or dict.fromkeys(outputs, request.is_binary)).items():
        values = outputs.get(name) or [None] * len(request.instances)
        tensor: dict[str, Any] = {"name": name, "datatype": "FP64", "shape": [len(values)]}
        if is_binary:
            contents.append(numbers_as_bytes(values))
            tensor["parameters"] = {BINARY_SIZE: len(contents[-1])}
        else:
            tensor["data"] = list(values)
        tensors.append(tensor)
    return tensors, contents
