"""Proves which version answers a request that names one, how its rows are kept apart, and what an answer says of it."""

from dataclasses import replace
from typing import Any

import pytest

from smallbox.errors import NotFound, NotReady
from smallbox.serving.inference import InferenceProtocol, ProtocolRequest
from tests.fakes.serving import Serving
from tests.unit.serving.test_inference import MODEL, infer, named, tensor

OLD, NEW = replace(MODEL, inputs=("weight",)), replace(MODEL, inputs=("weight", "pieces"))
KEYS = [f"p{n}" for n in range(40)]


def _rows() -> dict[str, Any]:
    count = len(KEYS)
    return {
        "inputs": [
            tensor("parcel_id", "BYTES", *KEYS),
            tensor("weight", "FP64", *[2.0] * count),
            tensor("pieces", "INT64", *[3] * count),
            tensor("depot", "BYTES", *["north"] * count),
        ]
    }


def _canary() -> tuple[Serving, InferenceProtocol]:
    serving = Serving(NEW)
    serving.join(OLD)
    serving.fill()
    serving.canary(OLD, NEW)
    return serving, InferenceProtocol(serving.project, serving.loader, serving.predictor)


def _channels(serving: Serving) -> set[tuple[str, int, str]]:
    columns = [message["columns"] for message in serving.log.messages]
    return {row for one in columns for row in zip(one["channel"], one["version"], one["arm"], strict=True)}


@pytest.mark.parametrize(("version", "arm"), [("1", "champion"), ("2", "challenger")])
def test_a_named_version_answers_every_row(version: str, arm: str) -> None:
    """Whatever the assignment says; and its rows are logged apart, because the caller chose them."""
    serving, protocol = _canary()
    answer = infer(protocol, _rows(), version=version)
    assert answer["model_version"] == version
    assert answer["outputs"][0]["data"] == [2.0 if version == "1" else 5.0] * len(KEYS)
    assert _channels(serving) == {("pinned", int(version), arm)}


def test_the_answer_names_the_version_of_each_row_when_two_answered() -> None:
    """A ``model_version`` would be wrong for some rows, so there is none."""
    serving, protocol = _canary()
    answer = infer(protocol, _rows())
    assert "model_version" not in answer
    versions = answer["parameters"]["model_versions"].split(",")
    assert set(versions) == {"1", "2"}
    assert answer["outputs"][0]["data"] == [2.0 if version == "1" else 5.0 for version in versions]
    assert _channels(serving) == {("online", 1, "champion"), ("online", 2, "challenger")}


@pytest.mark.parametrize("version", ["3", "0", "-1", "latest", "01x", "²"])
def test_a_version_that_does_not_answer_is_not_found(version: str) -> None:
    """On each of its routes; the error says which versions answer, and nothing is logged."""
    serving, protocol = _canary()
    request = named(version=version)
    for ask in (protocol.metadata, protocol.ready, lambda _: infer(protocol, _rows(), version=version)):
        with pytest.raises(NotFound, match="1 and 2"):
            ask(request)
    assert serving.log.messages == []


def test_the_metadata_of_a_version_is_its_own() -> None:
    """Its inputs are those that it was trained with; the model's are those of every version that answers."""
    _, protocol = _canary()
    inputs = [
        [one["name"] for one in protocol.metadata(request).document["inputs"]]
        for request in (named(version="1"), named(version="2"), named())
    ]
    assert "pieces" not in inputs[0]
    assert set(inputs[1]) == set(inputs[2]) == {*inputs[0], "pieces"}
    assert protocol.metadata(named()).document["versions"] == ["1", "2"]


def test_a_version_that_cannot_be_loaded_is_not_ready() -> None:
    """The others are; and a fallback does not answer for a version that the caller names."""
    serving, protocol = _canary()
    serving.blobs.objects.clear()
    for request in (named(version="1"), named()):
        with pytest.raises(NotReady):
            protocol.ready(request)
    with pytest.raises(NotReady):
        infer(protocol, _rows(), version="1")
    assert infer(protocol, _rows())["model_version"] == "0"


def test_before_the_first_champion_no_version_is_ready() -> None:
    """Every route of a version says so, though the model's metadata is there."""
    serving = Serving(MODEL)
    protocol = InferenceProtocol(serving.project, serving.loader, serving.predictor)
    for ask in (protocol.metadata, protocol.ready):
        with pytest.raises(NotReady, match="train it first"):
            ask(named(version="1"))
    with pytest.raises(NotReady, match="train it first"):
        infer(protocol, _rows(), version="1")
    assert protocol.metadata(named()).document["versions"] == []


def test_the_server_says_what_it_is() -> None:
    """Its name, a version, and the extension that it has; and that it lives."""
    _, protocol = _canary()
    assert protocol.server(ProtocolRequest()).document["extensions"] == ["binary_tensor_data"]
    assert protocol.live(ProtocolRequest()).document == {"live": True}
    assert protocol.ready(named()).document == {"name": MODEL.name, "ready": True}
    assert protocol.ready(named(version="2")).document["ready"] is True
