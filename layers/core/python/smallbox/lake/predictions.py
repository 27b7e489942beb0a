"""The prediction log, read: one row of each id."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from smallbox.define.model import Model
from smallbox.define.project import Project
from smallbox.lake.schemas import ENTITY_PREFIX, SENT_PREFIX, prediction_schema, predictions_table
from smallbox.ports import Between, Lake
from smallbox.serving.log import _first_of_each_id, _with_event_times


def to_log_table(model: Model, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Logged rows as columns; see :func:`~smallbox.serving.predict.log_rows`."""
    columns = prediction_schema(model)
    flat = [
        {
            **row,
            **row["inputs"],
            **{SENT_PREFIX + name: value for name, value in row.get("sent", {}).items()},
            **{ENTITY_PREFIX + name: entity for name, entity in row["entities"].items()},
        }
        for row in rows
    ]
    return pa.table({name: pa.array([r.get(name) for r in flat], columns.field(name).type) for name in columns.names})


class PredictionLog:
    """Writes and reads the log. Messages come at least once, so reading keeps one row of each id."""

    def __init__(self, project: Project, lake: Lake) -> None:
        self._project = project
        self._lake = lake

    def append(self, messages: Sequence[Mapping[str, Any]]) -> None:
        """Append the rows of messages of one model."""
        model = self._project.model(messages[0]["model"])
        rows = [row for message in messages for row in message["rows"]]
        self._lake.append(predictions_table(model.name), to_log_table(model, rows))

    def read(self, model: str, between: Between) -> pa.Table:
        """The predictions whose ``time`` lies in a range, each id once; no table yet: no rows."""
        columns = prediction_schema(self._project.model(model))
        found = self._lake.read(predictions_table(model), None, between)
        if found is None:
            return columns.empty_table()
        for name in set(columns.names) - set(found.column_names):  # nothing was logged since the definition has it
            found = found.append_column(columns.field(name), pa.nulls(found.num_rows, columns.field(name).type))
        return _first_of_each_id(_with_event_times(found))
