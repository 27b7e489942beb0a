"""The lake's versions of records as arrays, for the batch engine and for rebuilding online states."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.define.aggregates import Operand
from smallbox.define.attributes import Attributes, View
from smallbox.define.view import FeatureView
from smallbox.features.cells import Cells
from smallbox.features.measures import layout_of, lift, rank_of
from smallbox.features.operands import Column, Texts, evaluate
from smallbox.features.window import Floats, Ints
from smallbox.ingestion.table import history

Names: TypeAlias = Sequence[str | None] | pa.Array | pa.ChunkedArray
"""An entity for each question; one that is not there, or null, has no records."""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Versions of records that have an entity; the arrays are in step.

    Attributes:
        names: the entities.
        entity: for each version, the position of its entity in ``names``.
        time: event times.
        known_at: since when each version counts.
        superseded_at: until when it counts.
        ranks: what decides between equal event times; zeros where the view does not need it.
        columns: the fields that the view reads; see :mod:`smallbox.features.operands`.
    """

    names: pa.Array
    entity: Ints
    time: Ints
    known_at: Ints
    superseded_at: Ints
    ranks: Ints
    columns: Mapping[str, Column]

    def find(self, entities: Names) -> Ints:
        """The positions of those entities in ``names``; -1 for one that is not there."""
        return find(entities, self.names)

    def lifted(self, view: FeatureView) -> Cells:
        """One cell per version."""
        return lift(layout_of(view), self.time, self.ranks, self.columns)

    def read(self, operand: Operand) -> Floats:
        """What an aggregate reads of each version; not a number to pass it over."""
        return evaluate(operand, self.columns, len(self.time))

    def where(self, keep: npt.NDArray[np.bool_] | Ints) -> "Rows":
        """Only some of the versions, or in another order."""
        columns = {name: column[keep] for name, column in self.columns.items()}
        times = self.time[keep], self.known_at[keep], self.superseded_at[keep]
        return Rows(self.names, self.entity[keep], *times, self.ranks[keep], columns)


def find(entities: Names, names: pa.Array) -> Ints:
    """The positions of entities in ``names``; -1 for one that is not there."""
    asked = entities.combine_chunks() if isinstance(entities, pa.ChunkedArray) else pa.array(entities, pa.string())
    return np.asarray(pc.fill_null(pc.index_in(asked, value_set=names), -1), dtype=np.int64)


def columns_needed(view: View) -> list[str]:
    """The columns of the lake's table from which everything of a view is computed."""
    fields = view.fields if isinstance(view, Attributes) else layout_of(view).fields
    read = (*view.entity_fields, *fields)
    return [*dict.fromkeys(("key", "time", "known_at", "received_at", "digest", *read))]


def rows_of(view: FeatureView, table: pa.Table) -> Rows:
    """The versions in a table of the view's source; those without an entity are left out.

    Args:
        view: the view.
        table: the lake's rows, or what :func:`~smallbox.ingestion.table.history` made of them.
    """
    if "superseded_at" not in table.column_names:
        table = history(table)
    layout, (names, codes) = layout_of(view), _encoded(view, table)
    if (codes < 0).any():
        table, codes = table.filter(pa.array(codes >= 0)), codes[codes >= 0]
    times = (table["time"].to_numpy(), table["known_at"].to_numpy(), table["superseded_at"].to_numpy())
    columns = {name: _column(view, name, table[name]) for name in layout.fields}
    ranks = _ranks(table["key"]) if layout.lasts else np.zeros(len(table), np.int64)
    return Rows(names, codes, *times, ranks, columns)


def entities_of(view: View, table: pa.Table) -> pa.Array:
    """The entity of each row as one text, as :func:`~smallbox.define.view.entity_of` names it; null for none."""
    parts = [_taken(*_escaped(table[name])) for name in view.entity_fields]
    return functools.reduce(lambda left, right: pc.binary_join_element_wise(left, right, "|"), parts)


def _encoded(view: View, table: pa.Table) -> tuple[pa.Array, Ints]:
    """The entities, and for each row the position of its own; -1 for none."""
    if len(view.entity_fields) == 1:
        return _escaped(table[view.entity_fields[0]])
    encoded = entities_of(view, table).dictionary_encode()
    return encoded.dictionary, _positions(encoded)


def _escaped(column: pa.ChunkedArray) -> tuple[pa.Array, Ints]:
    """The parts of names, and for each row the position of its own; -1 for none: null, or empty."""
    texts = pa.array(column.combine_chunks(), pa.string())
    encoded = texts.dictionary_encode()
    if pc.any(pc.equal(encoded.dictionary, "")).as_py():
        encoded = pc.if_else(pc.equal(texts, ""), None, texts).dictionary_encode()
    words = pc.replace_substring(encoded.dictionary, "\\", "\\\\")
    return pc.replace_substring(words, "|", "\\|"), _positions(encoded)


def _positions(encoded: pa.DictionaryArray) -> Ints:
    indices = encoded.indices
    return np.asarray(pc.fill_null(indices, -1) if indices.null_count else indices, dtype=np.int64)


def _taken(words: pa.Array, codes: Ints) -> pa.Array:
    return words.take(pa.array(codes, mask=codes < 0))


def _ranks(column: pa.ChunkedArray) -> Ints:
    return np.fromiter(map(rank_of, column.to_pylist()), np.int64, len(column))


def _column(view: FeatureView, name: str, column: pa.ChunkedArray) -> Column:
    if view.source.fields[name].type != "text":
        return floats(column)
    encoded = column.combine_chunks().dictionary_encode()
    return Texts(encoded.dictionary.to_pylist(), _positions(encoded))


def floats(column: pa.ChunkedArray) -> Floats:
    """A column of numbers or booleans; not a number for null."""
    values: Floats = pc.fill_null(column.cast(pa.float64()), np.nan).to_numpy()
    return values
