"""Rows of several days as arrays: inputs, outputs and, where they are known, labels."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.arrays import Array, Bools, Floats, Ints
from smallbox.define.signature import Columns
from smallbox.labels.table import encoded_labels
from smallbox.objectives.objective import Objective
from smallbox.times import DAY


@dataclass(frozen=True, slots=True, eq=False)
class ObservedRows:
    """``n`` rows.

    Attributes:
        days: ``(n,)`` the day of each row, counted from 1970.
        inputs: by column ``(n,)`` numbers, NaN for missing, or texts, ``""`` for missing.
        outputs: ``(n, k)`` in the order of the objective's ``outputs``.
        labels: ``(n,)`` as :meth:`Objective.encoded` gives them; NaN where the label is not known yet.
    """

    days: Ints
    inputs: Mapping[str, Array]
    outputs: Floats
    labels: Floats

    def __len__(self) -> int:
        return len(self.days)

    def take(self, rows: Bools | Ints) -> "ObservedRows":
        """Some of the rows, by mask or positions."""
        inputs = {name: values[rows] for name, values in self.inputs.items()}
        return ObservedRows(self.days[rows], inputs, self.outputs[rows], self.labels[rows])

    def without(self, names: frozenset[str]) -> "ObservedRows":
        """The rows without some of their inputs."""
        return replace(self, inputs={name: one for name, one in self.inputs.items() if name not in names})

    @property
    def labelled(self) -> "ObservedRows":
        """The rows whose label is known."""
        return self.take(~np.isnan(self.labels))


def observed_rows(table: pa.Table, columns: Columns, objective: Objective, time: str = "event_time") -> ObservedRows:
    """A table of logged predictions as rows; those without all outputs are left out.

    Args:
        table: with ``time`` in microseconds, the outputs, the model's input columns, and the objective's label column
            when labels are known; without it no label is.
        columns: the model's input columns; those that the table lacks are left out.
        objective: that of the versions that answered.
        time: the column that says of which day a row is.
    """
    outputs = np.column_stack([_numbers(table[name]) for name in objective.outputs])
    is_there = np.asarray(np.isfinite(outputs).all(axis=1), bool)
    have = set(table.column_names)
    inputs: dict[str, Array] = {name: _numbers(table[name]) for name in columns.numeric if name in have}
    inputs |= {name: _texts(table[name]) for name in columns.categorical if name in have}
    labels = np.full(len(outputs), np.nan)
    if objective.label_column in have:
        known = pc.is_valid(table[objective.label_column])
        labels[np.asarray(known)] = encoded_labels(objective, table[objective.label_column].filter(known))
    days = np.asarray(table[time].to_numpy(), np.int64) // DAY
    return ObservedRows(days, inputs, outputs, labels).take(is_there)


def input_matrix(names: list[str], reference: ObservedRows, new: ObservedRows) -> tuple[Floats, Floats]:
    """Inputs and outputs of both as numbers ``(n, m)`` and ``(u, m)``; a text is its rank by frequency in both."""
    pairs = [_coded(reference.inputs[name], new.inputs[name]) for name in names]
    first = np.column_stack([*(one for one, _ in pairs), reference.outputs])
    return first, np.column_stack([*(other for _, other in pairs), new.outputs])


def _coded(one: Array, other: Array) -> tuple[Floats, Floats]:
    if one.dtype != object:
        return one.astype(float), other.astype(float)
    counted = pc.value_counts(pa.array(np.concatenate([one, other]), pa.string())).to_pylist()
    order = sorted(counted, key=lambda entry: (-entry["counts"], entry["values"]))
    ranks = {entry["values"]: float(rank) for rank, entry in enumerate(order)}
    return np.array([ranks[text] for text in one]), np.array([ranks[text] for text in other])


def _numbers(column: pa.ChunkedArray) -> Floats:
    return np.asarray(pc.cast(column, pa.float64()).to_numpy(zero_copy_only=False), np.float64)


def _texts(column: pa.ChunkedArray) -> Array:
    return np.asarray(pc.fill_null(pc.cast(column, pa.string()), "").to_numpy(zero_copy_only=False), object)
