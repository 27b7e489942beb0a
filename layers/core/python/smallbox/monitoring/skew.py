"""Training-serving skew of features: served values compared with their batch recomputation."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from smallbox.arrays import Objects
from smallbox.define.log_columns import logged_names
from smallbox.define.signature import Signature
from smallbox.features.inputs.assembly import Inputs, assemble
from smallbox.features.inputs.point_in_time_join import historical_features, request_arrays_of_table
from smallbox.lake.partial_histories import PartialHistories
from smallbox.ports import Lake
from smallbox.table_columns import ENTITY_PREFIX


@dataclass(frozen=True, slots=True)
class Skew:
    """How served features compare with their batch recomputation.

    Attributes:
        rows: the number of predictions compared.
        by_feature: for each added feature, how many of its values differ.
    """

    rows: int
    by_feature: Mapping[str, int]

    @property
    def values(self) -> int:
        """The number of values compared."""
        return self.rows * len(self.by_feature)

    @property
    def unequal(self) -> int:
        """The number of values that differ."""
        return sum(self.by_feature.values())


def recomputed_inputs(
    signature: Signature, lake: Lake, rows: pa.Table, histories: PartialHistories | None = None
) -> Inputs:
    """The inputs of rows of the log, recomputed from the sent fields and the lake as of the moments of the requests."""
    entities = {view.name: rows[ENTITY_PREFIX + view.name] for view in signature.views}
    stored = historical_features(signature, lake, entities, rows["time"].to_numpy(), histories)
    return assemble(signature, request_arrays_of_table(signature, rows, logged_names(signature)), stored)


def compare_served(signature: Signature, rows: pa.Table, recomputed: Inputs) -> Skew:
    """How many values of each added feature in rows of the log differ from the recomputed ones, bit for bit.

    A missing value equals a missing one.
    """
    numbers = {name: recomputed.numeric[:, signature.columns.numeric.index(name)] for name in signature.feature_names}
    texts = {
        name: recomputed.categorical[:, signature.columns.categorical.index(name)] for name in signature.stored_texts
    }
    by_number = {name: different(rows[name].to_numpy(), values) for name, values in numbers.items()}
    by_text = {name: different(_objects(rows[name]), values) for name, values in texts.items()}
    return Skew(rows.num_rows, {**by_number, **by_text})


def _objects(column: pa.ChunkedArray) -> Objects:
    return np.array(column.to_pylist(), dtype=object)


def different(ours: npt.NDArray[Any], theirs: npt.NDArray[Any]) -> int:
    """In how many places two columns differ; missing equals missing.

    >>> different(np.array([1.0, np.nan, 3.0]), np.array([1.0, np.nan, np.nan]))
    1
    """
    differs = np.asarray(ours != theirs, bool)
    if ours.dtype != object:
        differs &= ~((ours != ours) & (theirs != theirs))  # noqa: PLR0124 - only a missing value is unlike itself
    return int(differs.sum())


def skew_of(signature: Signature, lake: Lake, rows: pa.Table, histories: PartialHistories | None = None) -> Skew:
    """The skew of rows of the prediction log; with ``histories`` to read from when there are more rows to come."""
    return compare_served(signature, rows, recomputed_inputs(signature, lake, rows, histories))
