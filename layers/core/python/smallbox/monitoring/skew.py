"""What was served beside what the batch engine gives as of the same moments."""

import numpy as np
import pyarrow as pa

from smallbox.define.model import Model
from smallbox.features.historical import historical_features
from smallbox.features.window import Floats
from smallbox.ports import Lake
from smallbox.serving.log import ENTITY_PREFIX


def served_features(model: Model, rows: pa.Table) -> Floats:
    """The store's features in rows of the prediction log: ``(n, len(model.feature_names))``."""
    return np.column_stack([np.empty((rows.num_rows, 0)), *(rows[name].to_numpy() for name in model.feature_names)])


def recomputed_features(model: Model, lake: Lake, rows: pa.Table) -> Floats:
    """The same, from the lake, as of the moments at which they were served."""
    entities = {view.name: rows[ENTITY_PREFIX + view.name].to_pylist() for view in model.views}
    return historical_features(model, lake, entities, rows["time"].to_numpy())


def unequal(served: Floats, recomputed: Floats) -> int:
    """How many values differ, bit for bit; not a number equals itself."""
    return int((~((served == recomputed) | (np.isnan(served) & np.isnan(recomputed)))).sum())
