"""What was served beside what the batch engine gives as of the same moments."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from smallbox.arrays import Objects
from smallbox.define.model import Model
from smallbox.features.inputs.assembly import Inputs, assemble, sent_fields
from smallbox.features.inputs.historical import historical_features, sent_in
from smallbox.lake.schemas import ENTITY_PREFIX, SENT_PREFIX
from smallbox.ports import Lake


@dataclass(frozen=True, slots=True)
class Skew:
    """How what was served compares with its batch recomputation.

    Attributes:
        rows: the predictions that were compared.
        by_feature: for each added feature, how many of its values differ.
    """

    rows: int
    by_feature: Mapping[str, int]

    @property
    def values(self) -> int:
        """How many values were compared."""
        return self.rows * len(self.by_feature)

    @property
    def unequal(self) -> int:
        """How many of them differ."""
        return sum(self.by_feature.values())


def served_inputs(model: Model, rows: pa.Table) -> Inputs:
    """The inputs in rows of the prediction log."""
    numeric = [rows[name].to_numpy() for name in model.columns.numeric]
    texts = [np.array(rows[name].to_pylist(), dtype=object) for name in model.columns.categorical]
    count = rows.num_rows
    return Inputs(np.column_stack([np.empty((count, 0)), *numeric]), _columns(texts, count), np.zeros((count, 0), bool))


def recomputed_inputs(model: Model, lake: Lake, rows: pa.Table) -> Inputs:
    """The same, from what was sent and from the lake, as of the moments at which they were served."""
    entities = {view.name: rows[ENTITY_PREFIX + view.name] for view in model.views}
    stored = historical_features(model, lake, entities, rows["time"].to_numpy())
    return assemble(model, sent_in(model, rows, logged_names(model)), stored)


def logged_names(model: Model) -> dict[str, str]:
    """The log's columns of the fields that were sent, where they have other names than the fields."""
    return {name: SENT_PREFIX + name for name in sent_fields(model) if name not in model.inputs}


def _columns(texts: Sequence[Objects], rows: int) -> Objects:
    return np.column_stack([np.empty((rows, 0), dtype=object), *texts])


def compare_inputs(model: Model, served: Inputs, recomputed: Inputs) -> Skew:
    """How many values of each added feature differ, bit for bit; a missing number equals a missing one."""
    numbers = {name: model.columns.numeric.index(name) for name in model.feature_names}
    texts = {name: model.columns.categorical.index(name) for name in model.stored_texts}
    by_number = {name: different(served.numeric[:, at], recomputed.numeric[:, at]) for name, at in numbers.items()}
    by_text = {name: different(served.categorical[:, at], recomputed.categorical[:, at]) for name, at in texts.items()}
    return Skew(len(served.numeric), {**by_number, **by_text})


def different(ours: npt.NDArray[Any], theirs: npt.NDArray[Any]) -> int:
    """In how many places two columns differ; missing equals missing.

    >>> different(np.array([1.0, np.nan, 3.0]), np.array([1.0, np.nan, np.nan]))
    1
    """
    differs = np.asarray(ours != theirs, bool)
    if ours.dtype != object:
        differs &= ~((ours != ours) & (theirs != theirs))  # noqa: PLR0124 - only a missing value is unlike itself
    return int(differs.sum())


def skew_of(model: Model, lake: Lake, rows: pa.Table) -> Skew:
    """The skew of rows of the prediction log."""
    return compare_inputs(model, served_inputs(model, rows), recomputed_inputs(model, lake, rows))
