"""Slices of logged rows: the parts that figures are told for, like ``carrier=UA``. The check and a shadow cut alike."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.arrays import Bools
from smallbox.define.signature import Signature

_CATEGORIES: Final = 6
"""Slices of an input that are shown: its most frequent texts."""

_LONGEST_TEXT: Final = 100
"""A longer text makes no slice: the documents of days are small."""

_MOST_SLICES: Final = 300
"""So many slices are kept, those of the first inputs."""

_LEAST_ROWS: Final = 30
"""A slice of fewer rows is not shown."""


def slice_inputs(signature: Signature, declared: Sequence[str] = ()) -> list[str]:
    """The text inputs that make slices: those that are declared, or all; never one with personal values."""
    hidden = signature.personal_columns
    return [name for name in signature.columns.categorical if name not in hidden and (not declared or name in declared)]


def slice_masks(signature: Signature, rows: pa.Table, declared: Sequence[str] = ()) -> dict[str, Bools]:
    """The most frequent texts of the inputs that make slices, as masks of the rows, by ``input=text``.

    Args:
        signature: that of the rows.
        rows: an input that they lack makes no slice.
        declared: see :func:`slice_inputs`.
    """
    found = dict[str, Bools]()
    for name in slice_inputs(signature, declared):
        if name not in rows.column_names:
            continue
        for text in _frequent(rows[name])[: _MOST_SLICES - len(found)]:
            found[f"{name}={text}"] = np.asarray(pc.fill_null(pc.equal(rows[name], text), fill_value=False))
    return found


def _frequent(column: pa.ChunkedArray) -> Sequence[str]:
    found = pc.value_counts(column).to_pylist()
    counts = [one for one in found if 0 < len(one["values"] or "") <= _LONGEST_TEXT and one["counts"] >= _LEAST_ROWS]
    counts.sort(key=lambda one: (-one["counts"], one["values"]))
    return [one["values"] for one in counts[:_CATEGORIES]]
