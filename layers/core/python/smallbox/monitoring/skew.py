"""Training-serving skew of features: served values compared with their batch recomputation."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from smallbox.arrays import Bools, Objects
from smallbox.define.log_columns import logged_names
from smallbox.define.signature import Signature
from smallbox.features.inputs.assembly import Inputs, assemble
from smallbox.features.inputs.point_in_time_join import historical_features, request_arrays_of_table
from smallbox.lake.partial_histories import PartialHistories
from smallbox.ports import Lake
from smallbox.table_columns import ENTITY_PREFIX


@dataclass(frozen=True, slots=True)
class ValueSkew:
    """How the served values of one feature differ from the recomputed ones.

    Attributes:
        changed: how often both have a value, and the values differ.
        missing: how often the served value was missing, and the recomputed one is not.
        extra: how often there was a served value, and the recomputed one is missing.
        error: the sum of the absolute differences of the changed numbers; 0 for texts.
    """

    changed: int = 0
    missing: int = 0
    extra: int = 0
    error: float = 0.0

    @property
    def unequal(self) -> int:
        """How often they differ in any way."""
        return self.changed + self.missing + self.extra

    @property
    def sentence(self) -> str:
        """The differences in words; empty without any.

        >>> ValueSkew(changed=4, missing=1, error=2.0).sentence
        '4 changed by 0.5 on average, 1 missing when served'
        """
        size = f" by {self.error / self.changed:.4g} on average" if self.error else ""
        words = ((self.changed, f"changed{size}"), (self.missing, "missing when served"), (self.extra, "only served"))
        return ", ".join(f"{count} {word}" for count, word in words if count)

    def __add__(self, other: "ValueSkew") -> "ValueSkew":
        """Those of the rows of both."""
        error = self.error + other.error
        return ValueSkew(
            self.changed + other.changed, self.missing + other.missing, self.extra + other.extra, error=error
        )


@dataclass(frozen=True, slots=True)
class Skew:
    """How served features compare with their batch recomputation.

    Attributes:
        rows: the number of predictions compared.
        by_feature: for each added feature, how its values differ.
    """

    rows: int
    by_feature: Mapping[str, ValueSkew]

    @property
    def values(self) -> int:
        """The number of values compared."""
        return self.rows * len(self.by_feature)

    @property
    def unequal(self) -> int:
        """The number of values that differ."""
        return sum(one.unequal for one in self.by_feature.values())


def recomputed_inputs(
    signature: Signature, lake: Lake, rows: pa.Table, histories: PartialHistories | None = None
) -> Inputs:
    """The inputs of rows of the log, recomputed from the sent fields and the lake as of the moments of the requests."""
    entities = {view.name: rows[ENTITY_PREFIX + view.name] for view in signature.views}
    stored = historical_features(signature, lake, entities, rows["time"].to_numpy(), histories)
    return assemble(signature, request_arrays_of_table(signature, rows, logged_names(signature)), stored)


def compare_served(signature: Signature, rows: pa.Table, recomputed: Inputs) -> Skew:
    """How the values of each added feature in rows of the log differ from the recomputed ones, bit for bit.

    A missing value equals a missing one.
    """
    numbers = {name: recomputed.numeric[:, signature.columns.numeric.index(name)] for name in signature.feature_names}
    texts = {
        name: recomputed.categorical[:, signature.columns.categorical.index(name)] for name in signature.stored_texts
    }
    by_number = {name: value_skew(rows[name].to_numpy(), values) for name, values in numbers.items()}
    by_text = {name: value_skew(_objects(rows[name]), values) for name, values in texts.items()}
    return Skew(rows.num_rows, {**by_number, **by_text})


def _objects(column: pa.ChunkedArray) -> Objects:
    return np.array(column.to_pylist(), dtype=object)


def value_skew(served: npt.NDArray[Any], recomputed: npt.NDArray[Any]) -> ValueSkew:
    """How two columns differ; missing equals missing. An empty text is missing.

    >>> value_skew(np.array([1.0, np.nan, 3.0, 4.0]), np.array([1.5, 2.0, np.nan, 4.0]))
    ValueSkew(changed=1, missing=1, extra=1, error=0.5)
    """
    ours, theirs = _is_missing(served), _is_missing(recomputed)
    changed = np.asarray(served != recomputed, bool) & ~ours & ~theirs
    is_number = served.dtype != object
    error = float(np.abs(served[changed].astype(float) - recomputed[changed]).sum()) if is_number else 0.0
    return ValueSkew(int(changed.sum()), int((ours & ~theirs).sum()), int((theirs & ~ours).sum()), error)


def _is_missing(values: npt.NDArray[Any]) -> Bools:
    if values.dtype == object:
        return np.array([value is None or value == "" for value in values], bool)
    return np.asarray(np.isnan(values), bool)


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
