"""The content hashes of many records at once, from their columns: bit for bit those of ``Record.digest``.

A record is hashed as JSON. Here the text of each column is made in one step, the texts of a row are joined, and only
the hash is computed row by row.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.records import COMPACT_JSON, digest_of

_NULL: Final = "null"
_PLAIN: Final = np.zeros(256, bool)
"""The bytes that JSON does not escape."""
_PLAIN[0x20:0x7F] = True
_PLAIN[[ord('"'), ord("\\")]] = False


def digests(source: str, columns: Mapping[str, pa.Array]) -> pa.Array:
    """The content hash of each row.

    Args:
        source: the name of the records' source.
        columns: every value of the records by its field's name: texts, doubles, int64 and booleans.

    >>> from smallbox.records import Record
    >>> Record("s", "k", 1, 2, 3, {"a": 1.5, "id": "k"}).digest == digests(
    ...     "s", {"id": pa.array(["k"]), "a": pa.array([1.5])}
    ... )[0].as_py()
    True
    """
    parts: list[pa.Array | str] = []
    before = f"[{COMPACT_JSON.encode(source)},{{"
    for name in sorted(columns):
        parts += [f"{before}{COMPACT_JSON.encode(name)}:", _encoded(columns[name])]
        before = ","
    texts = pc.binary_join_element_wise(*parts, "}]", "")
    return pa.array(map(digest_of, texts.cast(pa.binary()).to_pylist()), pa.string())


def _encoded(column: pa.Array) -> pa.Array:
    """The JSON of each value."""
    if pa.types.is_string(column.type):
        texts = _quoted(column)
    elif pa.types.is_floating(column.type):
        texts = _numbers(column)
    else:
        texts = column.cast(pa.string())
    return texts.fill_null(_NULL)


def _quoted(column: pa.Array) -> pa.Array:
    if _stands_for_itself(column):
        return pc.binary_join_element_wise('"', column, '"', "")
    distinct = column.dictionary_encode()
    return pa.array(map(COMPACT_JSON.encode, distinct.dictionary.to_pylist()), pa.string()).take(distinct.indices)


def _stands_for_itself(column: pa.Array) -> bool:
    """Whether no text has a character that JSON escapes."""
    _, offsets, content = column.buffers()
    if content is None or not len(column):
        return True
    bounds = np.frombuffer(offsets, np.int32)[[column.offset, column.offset + len(column)]]
    return bool(_PLAIN[np.frombuffer(content, np.uint8)[slice(*bounds)]].all())


def _numbers(column: pa.Array) -> pa.Array:
    # distinct by bits: 0.0 and -0.0 are equal, but are not written alike
    distinct = column.view(pa.int64()).dictionary_encode()
    texts = COMPACT_JSON.encode(distinct.dictionary.view(pa.float64()).to_pylist())[1:-1]
    return pa.array(texts.split(",") if texts else [], pa.string()).take(distinct.indices)
