"""The prediction log: rows that are logged become Arrow columns, and rows that are read are deduplicated."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from smallbox.define.model import Model
from smallbox.define.project import Project
from smallbox.lake.names import predictions_table
from smallbox.lake.schemas import prediction_schema
from smallbox.ports import Between, Lake


def logged_table(model: Model, columns: Mapping[str, Sequence[Any]]) -> pa.Table:
    """Logged columns as rows of the log; a column that is not there is null."""
    schema, rows = prediction_schema(model), len(columns["id"])
    arrays = {
        field.name: pa.array(columns[field.name], field.type) if field.name in columns else pa.nulls(rows, field.type)
        for field in schema
    }
    return pa.table(arrays, schema=schema)


class PredictionLog:
    """Reads the log. A prediction may be logged twice, since queues deliver at least once: each id is read once."""

    def __init__(self, project: Project, lake: Lake) -> None:
        self._project = project
        self._lake = lake

    def read(self, model: str, between: Between) -> pa.Table:
        """The predictions in a range of ``time``, each id once; empty when there is no table yet."""
        schema = prediction_schema(self._project.model(model))
        found = self._lake.read(predictions_table(model), None, between, schema=schema)
        return schema.empty_table() if found is None else _first_of_each_id(_with_event_times(found))


def _with_event_times(rows: pa.Table) -> pa.Table:
    """Rows from before the log had the column ``event_time``: their event time is the moment of the request."""
    event_times = pc.coalesce(rows["event_time"], rows["time"])
    return rows.set_column(rows.column_names.index("event_time"), "event_time", event_times)


def _first_of_each_id(rows: pa.Table) -> pa.Table:
    numbered = rows.select(["id"]).append_column("row", pa.array(range(rows.num_rows), pa.int64()))
    return rows.take(numbered.group_by("id").aggregate([("row", "min")])["row_min"])
