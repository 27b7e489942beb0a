"""The columns of tables as a profile takes them: floats, and Arrow strings."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.arrays import Array, Floats
from smallbox.define.fields import Field
from smallbox.define.signature import Columns
from smallbox.define.source import Source
from smallbox.profiles.building import Values, text_bins
from smallbox.profiles.layout import (
    ColumnBins,
    NumericBins,
    ProfileLayout,
    TextBins,
    declared_bins,
    numeric_bins,
)
from smallbox.times import SECOND

ENOUGH: Final = 500
"""Fewest values of a first batch that give the bins of a field; with fewer they come from its declaration."""

CATEGORY_ROWS: Final = 5
"""Fewest rows of a first batch that make a text a category of a field: what names one record stays unnamed."""


def input_values(columns: Columns, values: Mapping[str, Any]) -> dict[str, Array | pa.Array]:
    """A model's inputs: numbers as float32, which is what the model sees, and texts."""
    numbers = {name: as_floats(values[name]).astype(np.float32).astype(np.float64) for name in columns.numeric}
    return numbers | {name: as_texts(values[name]) for name in columns.categorical}


def as_floats(values: Any) -> Floats:
    """Numbers or booleans as floats; null is NaN."""
    if isinstance(values, pa.Array | pa.ChunkedArray):
        values = values.cast(pa.float64()).to_numpy()
    return np.asarray(values, np.float64)


def as_texts(values: Any) -> pa.Array:
    """Texts as one Arrow array."""
    found = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else pa.array(values, pa.string())
    return found.cast(pa.string())


def logged_values(layout: ProfileLayout, rows: pa.Table) -> Values:
    """The columns of a layout in rows of the prediction log, as the model saw them: numbers as float32."""
    return {
        name: as_texts(rows[name]) if isinstance(bins, TextBins) else as_floats(rows[name]).astype("f4").astype("f8")
        for name, bins in layout.columns.items()
        if name in rows.column_names
    }


def record_values(source: Source, rows: pa.Table) -> Values:
    """The fields of records of a source.

    A timestamp counts in seconds after the event time, and the event time itself as the seconds until the record was
    received. Of a personal field only whether it is null is counted.
    """
    return {name: _field_values(source, name, rows) for name in source.fields}


def _field_values(source: Source, name: str, rows: pa.Table) -> Array | pa.Array:
    field = source.fields[name]
    if field.pii:
        return np.where(np.asarray(rows[name].is_null(), bool), np.nan, 0.0)
    if field.type == "text":
        return as_texts(rows[name])
    if field.type == "timestamp":
        since = pc.subtract(rows["received_at" if name == source.time else name], rows["time"])
        return as_floats(since) / SECOND
    return as_floats(rows[name])


def record_layout(source: Source, values: Values) -> ProfileLayout:
    """The layout of a source's records: from its declaration, and from the values of the first batch."""
    return ProfileLayout({name: _field_bins(source, name, values[name]) for name in source.fields})


def _field_bins(source: Source, name: str, values: Any) -> ColumnBins:
    field = source.fields[name]
    if field.type == "text" and not field.pii:
        none = np.empty(0, np.uint64)
        if name == source.key:
            return TextBins((), none, is_open=True)
        if field.choices:
            return TextBins(field.choices, none)
        return text_bins(values, CATEGORY_ROWS) if _known_texts(values) >= ENOUGH else TextBins((), none, is_open=True)
    return _number_bins(field, values)


def _known_texts(values: pa.Array) -> int:
    return int(pc.sum(pc.not_equal(values, "")).as_py() or 0)


def _number_bins(field: Field, values: Floats) -> NumericBins:
    if field.pii or (~np.isnan(values)).sum() >= ENOUGH:
        return numeric_bins(values)
    return declared_bins(field.minimum, field.maximum)
