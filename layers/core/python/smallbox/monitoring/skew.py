"""What was served beside what the batch engine gives as of the same moments."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from smallbox.define.model import Model
from smallbox.features.historical import historical_features, sent_in
from smallbox.features.inputs import Inputs, Objects, assemble, sent_fields
from smallbox.ports import Lake
from smallbox.serving.log import ENTITY_PREFIX, SENT_PREFIX


@dataclass(frozen=True, slots=True)
class Skew:
    """How what was served compares with its batch recomputation.

    Attributes:
        values: the added values that were compared.
        unequal: how many of them differ.
    """

    values: int
    unequal: int


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
    extra = {name: SENT_PREFIX + name for name in sent_fields(model) if name not in model.inputs}
    return assemble(model, sent_in(model, rows, extra), stored)


def _columns(texts: Sequence[Objects], rows: int) -> Objects:
    return np.column_stack([np.empty((rows, 0), dtype=object), *texts])


def unequal(model: Model, served: Inputs, recomputed: Inputs) -> Skew:
    """How many of the added values differ, bit for bit; not a number equals itself."""
    numbers = [model.columns.numeric.index(name) for name in model.feature_names]
    texts = [model.columns.categorical.index(name) for name in model.stored_texts]
    ours, theirs = served.numeric[:, numbers], recomputed.numeric[:, numbers]
    differ = int((~((ours == theirs) | (np.isnan(ours) & np.isnan(theirs)))).sum())
    differ += int((served.categorical[:, texts] != recomputed.categorical[:, texts]).sum())
    return Skew(ours.size + len(texts) * len(ours), differ)


def skew_of(model: Model, lake: Lake, rows: pa.Table) -> Skew:
    """The skew of rows of the prediction log."""
    return unequal(model, served_inputs(model, rows), recomputed_inputs(model, lake, rows))
