"""Arrow columns converted for the engines: entities, numbers, and dictionary codes of texts."""

import functools
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.arrays import Floats, Ints
from smallbox.define.attributes import View

Names: TypeAlias = Sequence[str | None] | pa.Array | pa.ChunkedArray
"""One entity per question; an unknown entity, or null, has no records."""


def find(entities: Names, names: pa.Array) -> Ints:
    """The indices of entities in ``names``; -1 means unknown."""
    asked = entities.combine_chunks() if isinstance(entities, pa.ChunkedArray) else pa.array(entities, pa.string())
    return np.asarray(pc.fill_null(pc.index_in(asked, value_set=names), -1), dtype=np.int64)


def entities_of(view: View, table: pa.Table) -> pa.Array:
    """The entity of each row as one text, as :func:`~smallbox.define.view.entity_of` gives it; null means no entity."""
    parts = [_taken(*_escaped(table[name])) for name in view.entity_fields]
    return functools.reduce(lambda left, right: pc.binary_join_element_wise(left, right, "|"), parts)


def encoded_entities(view: View, table: pa.Table) -> tuple[pa.Array, Ints]:
    """The distinct entities, and the index of each row's entity; -1 means no entity."""
    if len(view.entity_fields) == 1:
        return _escaped(table[view.entity_fields[0]])
    encoded = entities_of(view, table).dictionary_encode()
    return encoded.dictionary, positions(encoded)


def _escaped(column: pa.ChunkedArray) -> tuple[pa.Array, Ints]:
    """The distinct values of one entity field, escaped, and the index of each row's value; -1 means null or empty."""
    texts = pa.array(column.combine_chunks(), pa.string())
    encoded = texts.dictionary_encode()
    if pc.any(pc.equal(encoded.dictionary, "")).as_py():
        encoded = pc.if_else(pc.equal(texts, ""), None, texts).dictionary_encode()
    words = pc.replace_substring(encoded.dictionary, "\\", "\\\\")
    return pc.replace_substring(words, "|", "\\|"), positions(encoded)


def _taken(words: pa.Array, codes: Ints) -> pa.Array:
    return words.take(pa.array(codes, mask=codes < 0))


def positions(encoded: pa.DictionaryArray) -> Ints:
    """The dictionary index of each row; -1 means null."""
    indices = encoded.indices
    return np.asarray(pc.fill_null(indices, -1) if indices.null_count else indices, dtype=np.int64)


def floats(column: pa.ChunkedArray) -> Floats:
    """A column of numbers or booleans as float64; NaN means null."""
    values: Floats = pc.fill_null(column.cast(pa.float64()), np.nan).to_numpy()
    return values
