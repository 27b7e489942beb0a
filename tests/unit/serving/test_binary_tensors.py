"""Proves that tensors sent as bytes are read as the values they hold, and that bytes that do not fit are refused."""

import json
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallbox.errors import ContractViolation, InvalidInput, MalformedBody
from smallbox.serving.binary_tensors import joined_body, numbers_as_bytes, split_body, values_of, with_data
from smallbox.serving.inference import InferenceProtocol, ProtocolRequest
from smallbox.times import HOUR
from tests.fakes.serving import Serving
from tests.unit.serving.test_inference import MODEL

NUMPY = {
    "INT8": np.int8, "INT16": np.int16, "INT32": np.int32, "INT64": np.int64, "UINT8": np.uint8, "UINT16": np.uint16,
    "UINT32": np.uint32, "UINT64": np.uint64, "FP16": np.float16, "FP32": np.float32, "FP64": np.float64,
}  # fmt: skip


def texts(*values: str) -> bytes:
    """A tensor of texts as bytes."""
    encoded = [value.encode() for value in values]
    return b"".join(struct.pack("<I", len(value)) + value for value in encoded)


@pytest.mark.parametrize("datatype", NUMPY)
def test_numbers_of_every_width_are_read(datatype: str) -> None:
    """The least and the greatest value of each datatype, and the widths are little-endian."""
    kind: Any = NUMPY[datatype]
    limits: Any = np.iinfo(kind) if np.issubdtype(kind, np.integer) else np.finfo(kind)
    content = np.array([limits.min, 1, limits.max], np.dtype(kind).newbyteorder("<")).tobytes()
    assert values_of(content, datatype, "x") == [limits.min, 1, limits.max]


def test_brain_floats_and_booleans_are_read() -> None:
    """BF16 is the upper half of an FP32; a boolean is one byte."""
    assert values_of(bytes.fromhex("803f20c0c07f"), "BF16", "x") == [1.0, -2.5, None]
    assert values_of(b"\x00\x01", "BOOL", "x") == [False, True]


@given(st.lists(st.text()))
def test_any_texts_are_read(values: list[str]) -> None:
    """Empty ones, and those whose bytes are more than their letters."""
    assert values_of(texts(*values), "BYTES", "x") == values


@given(st.lists(st.none() | st.floats(allow_nan=False)))
def test_numbers_are_written_as_they_are_read(values: list[float | None]) -> None:
    """Every float to the last bit; a missing one as NaN."""
    assert values_of(numbers_as_bytes(values), "FP64", "x") == values


@pytest.mark.parametrize(
    ("content", "datatype", "said"),
    [
        (b"\x00\x00", "FP32", "2 bytes are no whole number of FP32"),
        (b"\x01\x00\x00", "BYTES", "end within a text"),
        (b"\x03\x00\x00\x00UA", "BYTES", "end within a text"),
        (b"\x01\x00\x00\x00\xff", "BYTES", "not UTF-8"),
        (b"", "FP8", "'FP8' is no datatype"),
        (b"", None, "None is no datatype"),
    ],
)
def test_bytes_that_are_no_values_are_refused(content: bytes, datatype: Any, said: str) -> None:
    """The error names the tensor and what is wrong."""
    with pytest.raises(MalformedBody, match=f"'x'.*{said}"):
        values_of(content, datatype, "x")


@pytest.mark.parametrize("length", ["", "-1", "x", "4", "1.0", "²"])
def test_a_header_that_fits_no_body_is_refused(length: str) -> None:
    """It must be a number, and not more than there is."""
    with pytest.raises(MalformedBody, match="at most the body's 3"):
        split_body(b"{}x", length)


def sized(name: str, size: Any, datatype: str = "INT8", **more: Any) -> dict[str, Any]:
    """A tensor whose values are bytes."""
    return {"name": name, "datatype": datatype, "parameters": {"binary_data_size": size}, **more}


@pytest.mark.parametrize(
    ("tensors", "said"),
    [
        ([sized("a", 2), sized("b", 2)], "'b' has 1 of its 2 bytes"),
        ([sized("a", 2)], "1 bytes behind the JSON"),
        ([], "3 bytes behind the JSON"),
        ([sized("a", -1)], "must be a number of bytes"),
        ([sized("a", True)], "must be a number of bytes"),
        ([sized("a", 3, data=[1, 2, 3])], "both data and"),
    ],
)
def test_sizes_that_do_not_fit_the_bytes_are_refused(tensors: list[dict[str, Any]], said: str) -> None:
    """Too many bytes, too few, and sizes that are none."""
    with pytest.raises(MalformedBody, match=said):
        with_data(tensors, b"\x01\x02\x03")


BINARY: dict[str, tuple[str, bytes]] = {
    "parcel_id": ("BYTES", texts("p", "q")),
    "depot": ("BYTES", texts("north", "south")),
    "weight": ("FP32", np.array([2.5, np.nan], "<f4").tobytes()),
    "pieces": ("INT32", np.array([1, 2], "<i4").tobytes()),
    "fragile": ("BOOL", b"\x01\x00"),
}


def _asked(binary: dict[str, tuple[str, bytes]], **more: Any) -> ProtocolRequest:
    inputs = [sized(name, len(content), kind, shape=[2, 1]) for name, (kind, content) in binary.items()]
    body, headers = joined_body({"inputs": inputs, **more}, [content for _, content in binary.values()])
    (length,) = headers.values()
    return ProtocolRequest({"model": MODEL.name}, body, length, HOUR, "request")


def test_a_request_of_bytes_is_answered_as_one_of_json() -> None:
    """The log has the values; a NaN is a missing value."""
    serving = Serving(MODEL)
    protocol = InferenceProtocol(serving.project, serving.loader, serving.predictor)
    answer = protocol.infer(_asked(BINARY))
    assert answer.document["outputs"] == [{"name": "score", "datatype": "FP64", "shape": [2], "data": [0.3, 0.3]}]
    columns = serving.log.messages[0]["columns"]
    assert columns["depot"] == ["north", "south"]
    assert [columns[name] for name in ("weight", "pieces", "fragile")] == [[2.5, None], [1, 2], [1, 0]]


@pytest.mark.parametrize(
    "more",
    [
        {"parameters": {"binary_data_output": True}},
        {"outputs": [{"name": "score", "parameters": {"binary_data": True}}]},
        {"outputs": [{"name": "score"}], "parameters": {"binary_data_output": True}},
    ],
    ids=["all outputs", "one output", "one of all outputs"],
)
def test_an_answer_comes_as_bytes_where_it_is_asked_for(more: dict[str, Any]) -> None:
    """The JSON says how many bytes each tensor has, and the header how many the JSON has."""
    serving = Serving(MODEL)
    answer = InferenceProtocol(serving.project, serving.loader, serving.predictor).infer(_asked(BINARY, **more))
    body, headers = answer.with_bytes()
    head, content = split_body(body, headers["inference-header-content-length"])
    (tensor,) = json.loads(head)["outputs"]
    assert tensor == {"name": "score", "datatype": "FP64", "shape": [2], "parameters": {"binary_data_size": 16}}
    assert values_of(content, "FP64", "score") == [0.3, 0.3]


@pytest.mark.parametrize(
    ("name", "wrong", "error"),
    [
        ("depot", ("FP32", b"\x00" * 8), MalformedBody),
        ("weight", ("FP32", b"\x00" * 4), MalformedBody),
        ("pieces", ("FP32", np.array([1.5, 2], "<f4").tobytes()), ContractViolation),
        ("weight", ("FP32", np.array([np.inf, 2], "<f4").tobytes()), ContractViolation),
    ],
    ids=["another type", "another length", "a fraction for an integer", "no finite number"],
)
def test_bytes_are_checked_as_json_is(name: str, wrong: tuple[str, bytes], error: type[InvalidInput]) -> None:
    """By the field's type, the shape, and the contract; nothing is logged."""
    serving = Serving(MODEL)
    protocol = InferenceProtocol(serving.project, serving.loader, serving.predictor)
    with pytest.raises(error, match=name):
        protocol.infer(_asked({**BINARY, name: wrong}))
    assert serving.log.messages == []
