"""The inputs of rows of the prediction log: as they were logged, or recomputed from the lake."""

import numpy as np
import pyarrow as pa

from smallbox.define.log_columns import logged_names
from smallbox.define.signature import Signature
from smallbox.features.columns import entities_of
from smallbox.features.inputs.assembly import MISSING_TEXT, Inputs, assemble
from smallbox.features.inputs.point_in_time_join import historical_features, request_arrays_of_table
from smallbox.lake.partial_histories import PartialHistories
from smallbox.ports import Lake
from smallbox.table_columns import ENTITY_PREFIX


def recomputed_inputs(
    signature: Signature, lake: Lake, rows: pa.Table, histories: PartialHistories | None = None
) -> Inputs:
    """The inputs of rows of the log, recomputed from the sent fields and the lake as of the moments of the requests."""
    entities = {view.name: rows[ENTITY_PREFIX + view.name] for view in signature.views}
    stored = historical_features(signature, lake, entities, rows["time"].to_numpy(), histories)
    return assemble(signature, request_arrays_of_table(signature, rows, logged_names(signature)), stored)


def inputs_of_requests(signature: Signature, lake: Lake, requests: pa.Table) -> Inputs:
    """The inputs of requests as of their column ``time``, by a definition that need not be the one that answered them.

    Args:
        signature: the definition.
        lake: the records that its stored features come from.
        requests: a column for each of the signature's request fields, and ``time``, the moment of each request.
    """
    entities = {view.name: entities_of(view, requests) for view in signature.views}
    stored = historical_features(signature, lake, entities, requests["time"].to_numpy())
    return assemble(signature, request_arrays_of_table(signature, requests), stored)


def logged_inputs(signature: Signature, rows: pa.Table) -> Inputs:
    """The inputs of rows of the log as they were logged, by the version that answered: what the model was given.

    Which stored features were missing is not read.
    """
    numeric = [rows[name].to_numpy(zero_copy_only=False).astype(float) for name in signature.columns.numeric]
    texts = [
        [MISSING_TEXT if text is None else text for text in rows[name].to_pylist()]
        for name in signature.columns.categorical
    ]
    size = rows.num_rows
    return Inputs(
        np.column_stack(numeric) if numeric else np.empty((size, 0)),
        np.array(texts, dtype=object).T if texts else np.empty((size, 0), dtype=object),
        np.zeros((size, len(signature.stored)), bool),
    )
