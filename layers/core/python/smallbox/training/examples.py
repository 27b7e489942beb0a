"""Requests as a model takes them: inputs read from a stored dataset once, then selected by row."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Self

import numpy as np
import pandas as pd
import pyarrow as pa

from smallbox.arrays import Array, Bools, Floats, Floats32, Ints, Objects
from smallbox.define.signature import Columns
from smallbox.labels.table import encoded_labels, group_numbers
from smallbox.objectives.objective import Objective, Scored
from smallbox.times import Micros


@dataclass(frozen=True, slots=True, eq=False)
class Requests:
    """``n`` requests of a model.

    Attributes:
        columns: the model's ``k`` numeric and ``m`` categorical columns.
        inputs: ``(n, k + m)``, as the estimator takes them: float32 columns (NaN means missing), then texts.
        times: ``(n,)`` event times, microseconds.
    """

    columns: Columns
    inputs: pd.DataFrame
    times: Ints

    def __len__(self) -> int:
        return len(self.times)

    def take(self, rows: Bools | Ints | slice) -> Self:
        """Some of the rows, by mask, positions or slice."""
        arrays = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "columns"}
        taken = {name: value.iloc[rows] if name == "inputs" else value[rows] for name, value in arrays.items()}
        return replace(self, **taken)

    @property
    def numeric(self) -> Floats32:
        """``(n, k)``, as the ONNX model takes them."""
        return self.inputs[list(self.columns.numeric)].to_numpy(np.float32)

    @property
    def categorical(self) -> Objects:
        """``(n, m)`` of text, as the ONNX model takes them."""
        return self.inputs[list(self.columns.categorical)].to_numpy(object)

    @property
    def by_column(self) -> Mapping[str, Array]:
        """Each input column by its name."""
        return {name: self.inputs[name].to_numpy() for name in self.columns.names}


@dataclass(frozen=True, slots=True, eq=False)
class Examples(Requests):
    """Requests with labels.

    Attributes:
        labels: ``(n,)`` the labels, as their objective encodes them.
        label_known_at: ``(n,)`` when each label became known, microseconds.
        groups: ``(n,)`` the number of each row's group; all 0 without groups.
    """

    labels: Floats
    label_known_at: Ints
    groups: Ints

    def scored(self, outputs: Floats) -> Scored:
        """The rows with outputs, ``(n, o)``."""
        return Scored(outputs, self.labels, self.groups)


def frame(columns: Columns, rows: pa.Table) -> pd.DataFrame:
    """The model's inputs as the estimator takes them: float32 columns first, then texts."""
    return pd.DataFrame(
        {n: rows[n].to_numpy().astype(np.float32) for n in columns.numeric}
        | {n: np.array(rows[n].to_pylist(), dtype=object) for n in columns.categorical}
    )


def requests_of(columns: Columns, rows: pa.Table) -> Requests:
    """The requests of a dataset, whether or not they have labels.

    Args:
        columns: the model's.
        rows: ``time`` and the columns, as :class:`~smallbox.training.dataset_rows.Dataset` has them.
    """
    return Requests(columns, frame(columns, rows), rows["time"].to_numpy())


def examples_of(columns: Columns, objective: Objective, rows: pa.Table) -> Examples:
    """The labelled requests of a dataset.

    Args:
        columns: the model's.
        objective: the label's.
        rows: ``time``, the columns, ``label`` and ``label_known_at``, none of them null, and ``group`` for a ranking.
    """
    labels, known_at = encoded_labels(objective, rows["label"]), rows["label_known_at"].to_numpy()
    return Examples(
        columns, frame(columns, rows), rows["time"].to_numpy(), labels, known_at, group_numbers(objective, rows)
    )


@dataclass(frozen=True, slots=True)
class Split:
    """Which rows train and which validate, as masks.

    Attributes:
        train: ``(n,)`` rows whose whole attribution window was over when the validation period began.
        validation: ``(n,)`` rows of the validation period.
        embargoed: number of rows between the two, which are in neither.
    """

    train: Bools
    validation: Bools
    embargoed: int


def split_by_time(times: Ints, end: Micros, validation: Micros, within: Micros) -> Split:
    """Split by time with an embargo: no label that became known in the validation period trains.

    The embargo is one attribution window long for every row, even when its label became known earlier. Otherwise the
    label would decide whether a row trains: where frauds are reported in a day and good payments settle in a week, the
    last week would have nothing but frauds.

    Args:
        times: ``(n,)`` event times, microseconds.
        end: end of the validation period: the moment up to which attribution windows are over.
        validation: length of the validation period.
        within: length of the attribution window.
    """
    start = end - validation
    before, train = times < start, times < start - within
    return Split(train, ~before, int((before & ~train).sum()))
