"""Point-in-time features of a model from the lake, for training, batch scoring and the skew audit."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.arrays import Array, Ints
from smallbox.define.attributes import View
from smallbox.define.signature import Signature
from smallbox.features.batch_engines import batch_engine_of, columns_needed
from smallbox.features.columns import Names, floats
from smallbox.features.engine import StoredFeatures
from smallbox.features.inputs.assembly import MISSING_TEXT
from smallbox.features.state_engines import state_engine_of
from smallbox.lake.partial_histories import PartialHistories
from smallbox.lake.schemas import record_schema
from smallbox.ports import Lake


def historical_features(
    signature: Signature,
    lake: Lake,
    entities: Mapping[str, Names],
    as_of: Ints,
    histories: PartialHistories | None = None,
) -> StoredFeatures:
    """The stored features as of each moment: a point-in-time join.

    Of each source only the records that windows of these moments reach are read, in all their versions. So questions
    about neighbouring moments need less memory.

    Args:
        signature: the model's signature.
        lake: the records.
        entities: by view, the entity of each of ``n`` questions.
        as_of: the moment of each question, in microseconds.
        histories: reads the records; by default from ``lake``. Given when there are more questions to come.

    Returns:
        The stored features before defaults, bit for bit equal to the online store's at that moment.
    """
    histories = histories or PartialHistories(lake)
    by_source = {
        source: _history(histories, [view for view in signature.views if view.source.name == source], as_of)
        for source in dict.fromkeys(view.source.name for view in signature.views)
    }
    answers = [
        batch_engine_of(v).features(v, by_source[v.source.name], entities[v.name], as_of) for v in signature.views
    ]
    rows = len(as_of)
    numeric, texts = np.empty((rows, 0)), np.empty((rows, 0), dtype=object)
    return StoredFeatures(
        np.hstack([numeric, *(a.numeric for a in answers)]), np.hstack([texts, *(a.texts for a in answers)])
    )


def request_arrays_of_table(
    signature: Signature, rows: pa.Table, names: Mapping[str, str] | None = None
) -> dict[str, Array]:
    """The request fields of a table, one array per field; as ``assembly.request_arrays`` gives them of instances.

    Args:
        signature: the model's signature.
        rows: a table with a column for each of the model's ``sent_fields``.
        names: column names by field, for columns that are not named as their field.
    """
    named = names or {}
    return {
        name: _sent(signature.request.fields[name].type, rows[named.get(name, name)]) for name in signature.sent_fields
    }


def _sent(kind: str, column: pa.ChunkedArray) -> Array:
    if kind == "text":
        return np.array(pc.fill_null(column, MISSING_TEXT).to_pylist(), dtype=object)
    if kind == "timestamp":
        return np.asarray(column.cast(pa.timestamp("us")).to_numpy(), dtype="datetime64[us]")
    return floats(column)


def _history(histories: PartialHistories, views: Sequence[View], as_of: Ints) -> pa.Table:
    """The versions of the records that views of one source may read at these moments."""
    columns = _union(columns_needed(view) for view in views)
    reach = max(state_engine_of(view).reach(view) for view in views)
    first, last = (int(as_of.min()), int(as_of.max())) if len(as_of) else (0, -1)
    return histories.between(views[0].source, columns, first - reach, last + 1, schema=_schema_of(views))


def _schema_of(views: Sequence[View]) -> pa.Schema:
    """The columns of the records of one source, of which each view may know another contract."""
    fields = {field.name: field for view in views for field in record_schema(view.source)}
    return pa.schema(fields.values())


def _union(columns: Iterable[Sequence[str]]) -> list[str]:
    return list(dict.fromkeys(name for names in columns for name in names))
