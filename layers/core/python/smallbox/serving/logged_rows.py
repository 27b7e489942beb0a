"""Answers to many requests at once as rows of the prediction log: column by column, with the values of ``logged``.

:func:`smallbox.serving.logged_answers.logged` makes the same columns from instances, for a request over HTTPS.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.arrays import Bools, Floats, Ints
from smallbox.define.log_columns import logged_names, logged_types
from smallbox.define.signature import Signature
from smallbox.features.inputs.assembly import Inputs
from smallbox.lake.schemas import prediction_schema
from smallbox.table_columns import ENTITY_PREFIX, GROUP
from smallbox.times import Micros


@dataclass(frozen=True, slots=True, eq=False)
class AskedRows:
    """Rows that one version answers; ``n`` of them.

    Attributes:
        values: the validated fields, a column each; see :func:`known_to`.
        entities: by view, the entity of each row; null when it has none.
        ids: the id of each prediction.
        as_of: the moment of each row, microseconds.
        now: the present.
    """

    values: pa.Table
    entities: Mapping[str, pa.Array]
    ids: pa.Array
    as_of: Ints
    now: Micros

    def slice(self, first: int, rows: int) -> "AskedRows":
        """The rows from a position on."""
        entities = {view: names.slice(first, rows) for view, names in self.entities.items()}
        as_of = self.as_of[first : first + rows]
        return AskedRows(self.values.slice(first, rows), entities, self.ids.slice(first, rows), as_of, self.now)


def known_to(signature: Signature, values: pa.Table) -> pa.Table:
    """The fields of rows as a version's signature knows them; one that the deployed contract has no longer is null."""
    missing = [name for name in signature.request.fields if name not in values.column_names]
    types = prediction_schema({name: signature.request.fields[name].type for name in missing})
    for name in missing:
        values = values.append_column(name, pa.nulls(len(values), types.field(name).type))
    return values


def log_rows(signature: Signature, asked: AskedRows, inputs: Inputs, outputs: Floats, who: tuple[str, int]) -> pa.Table:
    """The rows of the log.

    Args:
        signature: the version's.
        asked: the rows.
        inputs: their inputs.
        outputs: ``(n, k)``, a column for each of the objective's outputs; NaN where the model gave no number.
        who: the arm, and the number of the version.
    """
    rows, values, (arm, version) = len(asked.as_of), asked.values, who
    key, group = values[signature.request.key], signature.objective.group
    columns = {
        "id": asked.ids,
        "key": key,
        "time": pa.array(asked.as_of),
        "event_time": pc.coalesce(values[signature.request.time], pa.array(asked.as_of)),
        "served_at": pa.array(np.full(rows, asked.now, np.int64)),
        "version": pa.array(np.full(rows, version, np.int64)),
        "arm": pa.repeat(arm, rows),
        "channel": pa.repeat("batch", rows),
        "missing": _names(signature.stored, inputs.missing),
        "degraded": _names((), np.empty((rows, 0), bool)),
        **_numbers(signature.objective.outputs, outputs),
        **({GROUP: values[group]} if group else {}),
        **_numbers(signature.columns.numeric, inputs.numeric),
        **{
            name: pa.array(texts)
            for name, texts in zip(signature.columns.categorical, inputs.categorical.T, strict=True)
        },
        **{column: values[name] for name, column in logged_names(signature).items()},
        **{ENTITY_PREFIX + view: names for view, names in asked.entities.items()},
    }
    schema = prediction_schema(logged_types(signature))
    return pa.table({field.name: columns[field.name].cast(field.type) for field in schema}, schema=schema)


def _numbers(names: tuple[str, ...], matrix: Floats) -> dict[str, pa.Array]:
    """The columns of a matrix; null for NaN."""
    columns = np.ascontiguousarray(matrix.T)
    return {name: pa.array(column, from_pandas=True) for name, column in zip(names, columns, strict=True)}


def _names(names: tuple[str, ...], mask: Bools) -> pa.Array:
    """The names whose column is true, a list for each row."""
    ends = np.concatenate(([0], np.cumsum(mask.sum(axis=1)))).astype(np.int32)
    which = np.nonzero(mask)[1]
    return pa.ListArray.from_arrays(pa.array(ends), pa.array(names, pa.string()).take(pa.array(which)))
