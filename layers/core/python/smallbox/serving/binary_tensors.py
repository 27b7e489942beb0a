"""The binary tensor extension of the Open Inference Protocol: tensors as bytes behind the JSON of a body.

https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/extension_binary_data.md
"""

import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np

from smallbox.errors import MalformedBody

HEADER_LENGTH: Final = "inference-header-content-length"
"""The HTTP header with the number of bytes of the JSON; without it the whole body is JSON."""

BINARY_SIZE: Final = "binary_data_size"
"""The parameter of a tensor with the number of its bytes."""

_TYPES: Final[Mapping[str, str]] = {
    "BOOL": "?", "FP16": "<f2", "FP32": "<f4", "FP64": "<f8", "BF16": "<u2",
    **{f"{kind}{8 * size}": f"<{code}{size}" for kind, code in (("INT", "i"), ("UINT", "u")) for size in (1, 2, 4, 8)},
}  # fmt: skip
"""The numpy type of each datatype but BYTES. numpy has no BF16: it is the upper half of an FP32."""


def split_body(body: bytes, header_length: str | None) -> tuple[bytes, bytes]:
    """The JSON of a body, and the bytes of its binary tensors.

    Args:
        body: the whole body.
        header_length: the value of ``HEADER_LENGTH``; ``None`` without that header.

    Raises:
        MalformedBody: when the header is no number of bytes that the body has.
    """
    if header_length is None:
        return body, b""
    size = int(header_length) if header_length.isascii() and header_length.isdigit() else -1
    if not 0 <= size <= len(body):
        raise MalformedBody(f"the header {HEADER_LENGTH} must be a number of bytes, at most the body's {len(body)}")
    return body[:size], body[size:]


def with_data(tensors: Sequence[Mapping[str, Any]], content: bytes) -> list[Mapping[str, Any]]:
    """The tensors with ``data``, decoded from the bytes where a tensor has a ``binary_data_size``.

    Args:
        tensors: the tensors as they were sent; only those with a binary size must have a known datatype.
        content: their bytes, one after another.

    Raises:
        MalformedBody: when sizes, datatypes and bytes do not fit.
    """
    found, at = [], 0
    for tensor in tensors:
        size = _size_of(tensor)
        if size is None:
            found.append(tensor)
            continue
        own = content[at : at + size]
        if len(own) < size:
            raise MalformedBody(f"tensor {tensor.get('name')!r} has {len(own)} of its {size} bytes")
        found.append({**tensor, "data": values_of(own, tensor.get("datatype"), tensor.get("name"))})
        at += size
    if at != len(content):
        raise MalformedBody(f"{len(content) - at} bytes behind the JSON belong to no tensor; give each a {BINARY_SIZE}")
    return found


def _size_of(tensor: Mapping[str, Any]) -> int | None:
    parameters = tensor.get("parameters")
    size = parameters.get(BINARY_SIZE) if isinstance(parameters, Mapping) else None
    if size is None:
        return None
    if type(size) is not int or size < 0:
        raise MalformedBody(f"tensor {tensor.get('name')!r}: {BINARY_SIZE} must be a number of bytes")
    if "data" in tensor:
        raise MalformedBody(f"tensor {tensor.get('name')!r} has both data and a {BINARY_SIZE}; send one of them")
    return size


def values_of(content: bytes, datatype: Any, name: Any) -> list[Any]:
    r"""The values of a binary tensor; NaN, which JSON cannot say, is ``None``.

    >>> values_of(b"\x02\x00\x00\x00UA\x00\x00\x00\x00", "BYTES", "carrier")
    ['UA', '']
    >>> values_of(np.array([1.5, np.nan]).tobytes(), "FP64", "distance")
    [1.5, None]

    Raises:
        MalformedBody: when the bytes are no values of the datatype.
    """
    if datatype == "BYTES":
        return list(_texts(content, name))
    kind = _TYPES.get(datatype) if isinstance(datatype, str) else None
    if kind is None:
        raise MalformedBody(f"tensor {name!r}: {datatype!r} is no datatype of the protocol", tensor=name)
    if len(content) % np.dtype(kind).itemsize:
        raise MalformedBody(f"tensor {name!r}: {len(content)} bytes are no whole number of {datatype} values")
    values = np.frombuffer(content, kind)
    if datatype == "BF16":
        values = (values.astype(np.uint32) << 16).view(np.float32)
    return [None if value != value else value for value in values.tolist()]  # noqa: PLR0124 - NaN is unlike itself


def _texts(content: bytes, name: Any) -> Iterator[str]:
    """Texts, each behind its length in four bytes."""
    at = 0
    while at < len(content):
        begin = at + 4
        at = begin + struct.unpack_from("<I", content, at)[0] if begin <= len(content) else begin
        if at > len(content):
            raise MalformedBody(f"tensor {name!r}: the bytes end within a text or its length", tensor=name)
        try:
            yield content[begin:at].decode()
        except UnicodeDecodeError as error:
            raise MalformedBody(f"tensor {name!r}: a text is not UTF-8", tensor=name) from error


def numbers_as_bytes(values: Sequence[float | None]) -> bytes:
    """An FP64 tensor as bytes, ``None`` as NaN."""
    return np.array(values, "<f8").tobytes()


def joined_body(document: Mapping[str, Any], tensors: Sequence[bytes]) -> tuple[bytes, dict[str, str]]:
    """A body of JSON and binary tensors, and the header that says where the JSON ends."""
    head = json.dumps(document, separators=(",", ":")).encode()
    return b"".join([head, *tensors]), {HEADER_LENGTH: str(len(head))}
