"""Record versions from the lake as arrays, for the batch engine and for rebuilds of online states."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from smallbox.arrays import Floats, Ints
from smallbox.define.aggregates import Operand
from smallbox.define.view import FeatureView
from smallbox.features.columns import Names, encoded_entities, find, floats, positions
from smallbox.features.windows.measures import layout_of, lift, rank_of
from smallbox.features.windows.operand_columns import CodedTexts, FieldColumn, evaluate
from smallbox.features.windows.partial_aggregates import Cells
from smallbox.lake.history import history


@dataclass(frozen=True, slots=True, eq=False)
class VersionRows:
    """Versions of records that have an entity; one array element per version.

    Attributes:
        names: the entities.
        entity: the index of each version's entity in ``names``.
        time: event times.
        known_at: from when each version counts.
        superseded_at: until when it counts, exclusive.
        ranks: tie-break between equal event times; zeros if the view does not need it.
        columns: the fields that the view reads; see :mod:`smallbox.features.windows.operand_columns`.
    """

    names: pa.Array
    entity: Ints
    time: Ints
    known_at: Ints
    superseded_at: Ints
    ranks: Ints
    columns: Mapping[str, FieldColumn]

    def find(self, entities: Names) -> Ints:
        """The indices of entities in ``names``; -1 means unknown."""
        return find(entities, self.names)

    def lifted(self, view: FeatureView) -> Cells:
        """One cell per version."""
        return lift(layout_of(view), self.time, self.ranks, self.columns)

    def read(self, operand: Operand) -> Floats:
        """The aggregate's input value of each version; NaN means the version is skipped."""
        return evaluate(operand, self.columns, len(self.time))

    def where(self, keep: npt.NDArray[np.bool_] | Ints) -> "VersionRows":
        """The selected versions, in the order of ``keep``."""
        columns = {name: column[keep] for name, column in self.columns.items()}
        times = self.time[keep], self.known_at[keep], self.superseded_at[keep]
        return VersionRows(self.names, self.entity[keep], *times, self.ranks[keep], columns)


def version_rows(view: FeatureView, table: pa.Table) -> VersionRows:
    """The record versions of a table of the view's source; versions without an entity are dropped.

    Args:
        view: the view.
        table: the lake's rows, with or without :func:`~smallbox.lake.history.history` applied.
    """
    if "superseded_at" not in table.column_names:
        table = history(table)
    layout, (names, codes) = layout_of(view), encoded_entities(view, table)
    if (codes < 0).any():
        table, codes = table.filter(pa.array(codes >= 0)), codes[codes >= 0]
    times = (table["time"].to_numpy(), table["known_at"].to_numpy(), table["superseded_at"].to_numpy())
    columns = {name: _column(view, name, table[name]) for name in layout.fields}
    ranks = _ranks(table["key"]) if layout.lasts else np.zeros(len(table), np.int64)
    return VersionRows(names, codes, *times, ranks, columns)


def _ranks(column: pa.ChunkedArray) -> Ints:
    return np.fromiter(map(rank_of, column.to_pylist()), np.int64, len(column))


def _column(view: FeatureView, name: str, column: pa.ChunkedArray) -> FieldColumn:
    if view.source.fields[name].type != "text":
        return floats(column)
    encoded = column.combine_chunks().dictionary_encode()
    return CodedTexts(encoded.dictionary.to_pylist(), positions(encoded))
