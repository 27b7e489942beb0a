"""Proves that the Open Inference Protocol's routes answer its tensors, and refuse each wrong form of them in words."""

import json
from dataclasses import replace
from typing import Any

import pytest

from smallbox.define import boolean, integer
from smallbox.define.model import Model
from smallbox.errors import ContractViolation, InvalidInput, MalformedBody, NotFound, NotReady, TooLarge
from smallbox.registry.routing import first_champion
from smallbox.registry.store import Registry
from smallbox.request_sizes import INSTANCE_LIMIT
from smallbox.serving.inference import InferenceProtocol, ProtocolRequest
from smallbox.times import HOUR
from tests.fakes.edges import FakeQueue
from tests.fakes.serving import Serving
from tests.fakes.small import late_parcel, parcels

EXTRA = {"pieces": integer(nullable=True), "fragile": boolean(nullable=True)}
MODEL = replace(
    late_parcel,
    request=replace(parcels, fields={**parcels.fields, **EXTRA}),
    inputs=(*late_parcel.inputs, *EXTRA),
    fallback=0.3,
)


def tensor(name: str, datatype: str, /, *data: Any, **changes: Any) -> dict[str, Any]:
    """A flat tensor; a change of ``None`` leaves that part out."""
    whole = {"name": name, "shape": [len(data)], "datatype": datatype, "data": list(data), **changes}
    return {part: value for part, value in whole.items() if value is not None}


KEYS = tensor("parcel_id", "BYTES", "p", "q")
DEPOTS = tensor("depot", "BYTES", "north", None)
WEIGHTS = tensor("weight", "FP64", 2.5, 3)
PIECES = tensor("pieces", "INT64", 1, 2)
FRAGILE = tensor("fragile", "BOOL", True, None)
TENSORS = [KEYS, DEPOTS, WEIGHTS, PIECES, FRAGILE]


def _protocol(model: Model = MODEL) -> tuple[InferenceProtocol, FakeQueue, Registry]:
    serving = Serving(model)
    protocol = InferenceProtocol(serving.project, serving.loader, serving.predictor)
    return protocol, serving.log, serving.registry


def infer(protocol: InferenceProtocol, document: Any, model: str = MODEL.name, version: str | None = None) -> Any:
    """The answer to a JSON request ``request``."""
    names = {"model": model} if version is None else {"model": model, "version": version}
    body = json.dumps(document).encode()
    return protocol.infer(ProtocolRequest(names, body, now=HOUR, batch="request")).document


def named(model: str = MODEL.name, **version: str) -> ProtocolRequest:
    """A request without a body."""
    return ProtocolRequest({"model": model, **version})


def _with(changed: dict[str, Any]) -> dict[str, Any]:
    """The right body with one tensor in place of that of its name."""
    return {"inputs": [changed if right["name"] == changed.get("name") else right for right in TENSORS]}


def test_tensors_are_answered_by_a_tensor() -> None:
    """Row by row in the order sent, under the caller's id or the request's; and each row is logged."""
    protocol, log, _ = _protocol()
    answer = infer(protocol, {"inputs": TENSORS, "id": "mine"})
    assert answer == {
        "model_name": MODEL.name,
        "model_version": "0",
        "id": "mine",
        "outputs": [{"name": "score", "datatype": "FP64", "shape": [2], "data": [0.3, 0.3]}],
    }
    columns = log.messages[0]["columns"]
    assert [columns[name] for name in ("key", "depot", "weight")] == [["p", "q"], ["north", ""], [2.5, 3.0]]
    assert infer(protocol, {"inputs": TENSORS})["id"] == "request"


@pytest.mark.parametrize(
    "right",
    [
        tensor("weight", "FP32", 2.5, 3),
        tensor("weight", "INT64", 2, 3),
        tensor("pieces", "UINT8", 1, 2),
        tensor("pieces", "FP32", 1.0, 2),
        tensor("weight", "FP64", 2.5, 3, shape=[2, 1]),
        tensor("weight", "FP64", [2.5], [3], shape=[2, 1]),
        tensor("fragile", "BOOL", 1.0, None),
    ],
    ids=["less precise", "whole numbers for numbers", "unsigned", "a float for an integer", "a column", "nested", "1"],
)
def test_a_tensor_of_another_width_or_shape_with_the_same_values_is_taken(right: dict[str, Any]) -> None:
    """JSON carries the values, so the width of a number and a further dimension of 1 change nothing."""
    protocol, log, _ = _protocol()
    assert infer(protocol, _with(right))["outputs"][0]["shape"] == [2]
    assert len(log.messages[0]["columns"]["id"]) == 2


WRONG: dict[str, tuple[Any, type[InvalidInput], str]] = {
    "no object": ([], MalformedBody, '{"inputs"'),
    "nothing": (None, MalformedBody, '{"inputs"'),
    "no inputs": ({}, MalformedBody, '{"inputs"'),
    "inputs of no kind": ({"inputs": None}, MalformedBody, '{"inputs"'),
    "inputs not a list": ({"inputs": {"weight": WEIGHTS}}, MalformedBody, '{"inputs"'),
    "no tensor": ({"inputs": []}, MalformedBody, '{"inputs"'),
    "a tensor that is no object": ({"inputs": [*TENSORS, "weight"]}, MalformedBody, '{"inputs"'),
    "without a name": ({"inputs": [*TENSORS, tensor("x", "FP64", 1, 2, name=None)]}, MalformedBody, '{"inputs"'),
    "a name that is no text": ({"inputs": [tensor("x", "FP64", 1, name=7)]}, MalformedBody, '{"inputs"'),
    "without data": (_with(tensor("weight", "FP64", 1, 2, data=None)), MalformedBody, '{"inputs"'),
    "data that is no list": (_with(tensor("weight", "FP64", 1, 2, data="12")), MalformedBody, '{"inputs"'),
    "without a shape": (_with(tensor("weight", "FP64", 1, 2, shape=None)), MalformedBody, '{"inputs"'),
    "a shape that is no list": (_with(tensor("weight", "FP64", 1, 2, shape=2)), MalformedBody, '{"inputs"'),
    "without a datatype": (_with(tensor("weight", "", 1, 2, datatype=None)), MalformedBody, '{"inputs"'),
    "rows of two values": (_with(tensor("weight", "FP64", [1, 2], [3, 4])), MalformedBody, "'weight' must be flat"),
    "a shape of one row": (_with(tensor("weight", "FP64", 1, 2, shape=[1, 2])), MalformedBody, r"send \[2\] or"),
    "parameters that are none": ({"inputs": TENSORS, "parameters": 1}, MalformedBody, "parameters must be an object"),
    "a flag that is none": (
        {"inputs": TENSORS, "parameters": {"binary_data_output": 1}}, MalformedBody, "must be true or false",
    ),
    "outputs that are none": ({"inputs": TENSORS, "outputs": ["score"]}, MalformedBody, "outputs must be"),
    "an output of another model": (
        {"inputs": TENSORS, "outputs": [{"name": "y"}]}, MalformedBody, "no output 'y'; it has score",
    ),
    "a greater shape": (_with(tensor("weight", "FP64", 1, 2, shape=[3])), MalformedBody, "'weight' does not fit its 2"),
    "a smaller shape": (_with(tensor("weight", "FP64", 1, 2, shape=[1])), MalformedBody, "'weight' does not fit its 2"),
    "no dimension": (_with(tensor("weight", "FP64", 1, 2, shape=[])), MalformedBody, "'weight' does not fit its 2"),
    "an open dimension": (_with(tensor("weight", "FP64", 1, 2, shape=[-1])), MalformedBody, "'weight' does not fit"),
    "negative dimensions": (_with(tensor("weight", "FP64", 1, 2, shape=[-1, -2])), MalformedBody, "does not fit"),
    "a fraction": (_with(tensor("weight", "FP64", 1, 2, shape=[2.0])), MalformedBody, "'weight' does not fit"),
    "a truth": (_with(tensor("weight", "FP64", 1, 2, shape=[2, True])), MalformedBody, "'weight' does not fit"),
    "texts for a number": (_with(tensor("weight", "BYTES", 1, 2)), MalformedBody, "'weight' is '.*'; send FP64"),
    "numbers for a text": (_with(tensor("depot", "FP64", "a", "b")), MalformedBody, "'depot' is 'FP64'; send BYTES"),
    "texts for an integer": (_with(tensor("pieces", "BYTES", 1, 2)), MalformedBody, "'pieces' is 'BYTES'; send INT64"),
    "a fraction for an integer": (_with(tensor("pieces", "FP32", 1.5, 2)), ContractViolation, "instance 0: .*pieces"),
    "integers for a truth": (_with(tensor("fragile", "INT8", 1, 0)), MalformedBody, "'fragile' is 'INT8'; send BOOL"),
    "a datatype of no protocol": (_with(tensor("weight", "float", 1, 2)), MalformedBody, "'weight' is '.*'; send FP64"),
    "two of one name": ({"inputs": [*TENSORS, WEIGHTS]}, MalformedBody, "two input tensors of the name 'weight'"),
    "lengths that differ": (_with(tensor("weight", "FP64", 1)), MalformedBody, "at least 1; they have 1, 2"),
    "empty data": ({"inputs": [tensor(t["name"], t["datatype"]) for t in TENSORS]}, MalformedBody, "they have 0"),
    "an id that is no text": ({"inputs": TENSORS, "id": 7}, MalformedBody, "id of a request must be a text"),
    "an unknown name": ({"inputs": [*TENSORS, tensor("wieght", "FP64", 1, 2)]}, ContractViolation, "wieght"),
    "a name left out": ({"inputs": TENSORS[1:]}, ContractViolation, "parcel_id"),
    "a value of another type": (_with(tensor("weight", "FP64", 1, "heavy")), ContractViolation, "instance 1: .*weight"),
    "too many": (
        {"inputs": [tensor("parcel_id", "BYTES", *map(str, range(INSTANCE_LIMIT + 1)))]}, TooLarge, "at most 500",
    ),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_input_is_refused_in_words(wrong: str) -> None:
    """Each wrong form has its own error and says what is wrong; nothing is predicted, so nothing is logged."""
    body, error, said = WRONG[wrong]
    protocol, log, _ = _protocol()
    with pytest.raises(error, match=said) as refused:
        infer(protocol, body)
    assert type(refused.value) is error
    assert log.messages == []


def test_as_many_instances_as_are_taken_are_answered() -> None:
    """The most that a request may have is taken, so the refusal begins with one more."""
    protocol, _, _ = _protocol()
    empty = [tensor(one["name"], one["datatype"], *[None] * INSTANCE_LIMIT) for one in TENSORS[1:]]
    many = [tensor("parcel_id", "BYTES", *map(str, range(INSTANCE_LIMIT))), *empty]
    assert infer(protocol, {"inputs": many})["outputs"][0]["shape"] == [INSTANCE_LIMIT]


def test_an_unknown_model_is_not_found() -> None:
    """Neither its metadata nor a prediction."""
    protocol, _, _ = _protocol()
    with pytest.raises(NotFound):
        protocol.metadata(named("nobody"))
    with pytest.raises(NotFound):
        infer(protocol, {"inputs": TENSORS}, "nobody")


def test_the_metadata_names_what_a_request_must_hold() -> None:
    """Each field of the request with the datatype that it is to be sent as; the champion's number once there is one."""
    serving = Serving(MODEL)
    protocol = InferenceProtocol(serving.project, serving.loader, serving.predictor)
    metadata = protocol.metadata(named()).document
    assert {one["name"]: one["datatype"] for one in metadata["inputs"]} == {t["name"]: t["datatype"] for t in TENSORS}
    assert {tuple(one["shape"]) for one in [*metadata["inputs"], *metadata["outputs"]]} == {(-1,)}
    assert metadata["versions"] == []
    serving.route(serving.register(MODEL))
    assert protocol.metadata(named()).document["versions"] == ["1"]


def test_the_metadata_names_what_any_version_needs_that_answers() -> None:
    """The fields of champion and challenger, each once, and none that only the definition has."""
    old, new = replace(MODEL, inputs=("depot", "pieces")), replace(MODEL, inputs=("weight", "pieces"))
    serving = Serving(MODEL)
    protocol = InferenceProtocol(serving.project, serving.loader, serving.predictor)
    serving.canary(old, new)
    inputs = protocol.metadata(named()).document["inputs"]
    assert [one["name"] for one in inputs] == ["parcel_id", "depot", "pieces", "weight"]
    assert [one["datatype"] for one in inputs] == ["BYTES", "BYTES", "INT64", "FP64"]


def test_it_is_ready_when_every_model_has_a_champion() -> None:
    """Before that the route says which model has none."""
    protocol, _, registry = _protocol()
    with pytest.raises(NotReady, match=MODEL.name):
        protocol.all_ready(ProtocolRequest())
    registry.route(MODEL.name, first_champion(1, HOUR))
    assert protocol.all_ready(ProtocolRequest()).document == {"ready": True}
