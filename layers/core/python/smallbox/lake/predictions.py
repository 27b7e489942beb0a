"""The prediction log: rows that are logged become Arrow columns, and rows that are read are deduplicated."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.arrays import Bools, Ints
from smallbox.define.fields import FieldType
from smallbox.define.log_columns import logged_types
from smallbox.define.signature import Signature
from smallbox.lake.names import predictions_table
from smallbox.lake.schemas import prediction_schema
from smallbox.ports import Between, Lake
from smallbox.records import Cause

_ALWAYS: Final = ("id", "time", "event_time")


def logged_table(types: Mapping[str, FieldType], columns: Mapping[str, Sequence[Any]]) -> pa.Table:
    """Logged columns as rows of the log; a column that is not there is null.

    Args:
        types: the columns that depend on the signature; see :func:`smallbox.define.log_columns.logged_types`.
        columns: the values by column, in step.
    """
    schema, rows = prediction_schema(types), len(columns["id"])
    arrays = {
        field.name: pa.array(columns[field.name], field.type) if field.name in columns else pa.nulls(rows, field.type)
        for field in schema
    }
    return pa.table(arrays, schema=schema)


class PredictionLog:
    """Reads the log. A prediction may be logged twice, since queues deliver at least once: each id is read once."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    def read(self, model: str, between: Between, wanted: Callable[[str], bool] = lambda _: True) -> pa.Table:
        """The predictions in a range of ``time``, each id once; empty when there is no table yet.

        The columns are those of every version that has answered; see :func:`of_signature`.

        Args:
            model: its name.
            between: the range, of ``time`` or ``event_time``.
            wanted: whether to read a column; ``id``, ``time`` and ``event_time`` are read anyway.
        """
        schema = prediction_schema({})
        known = self._lake.read(predictions_table(model), None, Between("time", 0, 0), schema=schema)
        if known is None:
            return schema.empty_table()
        columns = [name for name in known.column_names if name in _ALWAYS or wanted(name)]
        found = self._lake.read(predictions_table(model), columns, between, schema=schema)
        return known if found is None else _first_of_each_id(_with_event_times(found))

    def moments(self, model: str, between: Between) -> Iterator[tuple[Ints, Ints]]:
        """``time`` and ``event_time`` of the predictions in a range, in slices; an id may be there twice."""
        columns, schema = ["time", "event_time"], prediction_schema({})
        for rows in self._lake.slices(predictions_table(model), between=between, columns=columns, schema=schema):
            full = _with_event_times(rows)
            yield full["time"].to_numpy(), full["event_time"].to_numpy()


def of_versions(rows: pa.Table, numbers: Sequence[int]) -> pa.Table:
    """The rows of the log that these versions answered."""
    return rows.filter(pc.is_in(rows["version"], value_set=pa.array(numbers, pa.int64())))


def has_cause(rows: pa.Table, cause: Cause) -> Bools:
    """Which rows of the log were degraded for this cause."""
    causes = rows["degraded"].combine_chunks()
    is_cause = pc.equal(pc.list_flatten(causes), cause)
    found = np.zeros(rows.num_rows, bool)
    found[np.asarray(pc.list_parent_indices(causes).filter(is_cause))] = True
    return found


def by_answerer(rows: pa.Table) -> Iterator[tuple[int, str, str, pa.Table]]:
    """The rows by version, channel and arm; those of the fallback, which is no version, are left out."""
    answered = rows.filter(pc.greater(rows["version"], 0))
    for who in answered.group_by(["version", "channel", "arm"]).aggregate([]).to_pylist():
        own = answered
        for column, value in who.items():
            own = own.filter(pc.equal(own[column], value))
        yield who["version"], who["channel"], who["arm"], own


def without_cause(rows: pa.Table, cause: Cause) -> pa.Table:
    """The rows of the log that were not degraded for this cause."""
    return rows.filter(pa.array(~has_cause(rows, cause)))


def of_signature(rows: pa.Table, signature: Signature) -> pa.Table:
    """Rows of the log with the columns of one signature; a column that the log does not have is null."""
    schema = prediction_schema(logged_types(signature))
    arrays = [
        rows[field.name].cast(field.type) if field.name in rows.column_names else pa.nulls(rows.num_rows, field.type)
        for field in schema
    ]
    return pa.table(arrays, schema=schema)


def _with_event_times(rows: pa.Table) -> pa.Table:
    """Rows from before the log had the column ``event_time``: their event time is the moment of the request."""
    event_times = pc.coalesce(rows["event_time"], rows["time"])
    return rows.set_column(rows.column_names.index("event_time"), "event_time", event_times)


def _first_of_each_id(rows: pa.Table) -> pa.Table:
    numbered = rows.select(["id"]).append_column("row", pa.array(np.arange(rows.num_rows)))
    return rows.take(numbered.group_by("id").aggregate([("row", "min")])["row_min"])
