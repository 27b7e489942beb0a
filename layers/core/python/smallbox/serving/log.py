"""The prediction log: one lake table a model."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from smallbox.define.model import Model
from smallbox.define.project import Project
from smallbox.features.inputs import sent_fields
from smallbox.ingestion.table import schema
from smallbox.ports import Between, Lake

ENTITY_PREFIX: Final = "entity_"
SENT_PREFIX: Final = "sent_"
"""Fields of the request that only on-demand features read."""


def predictions_table(model: str) -> str:
    """The name of the lake table that holds a model's predictions."""
    return f"predictions/{model}"


def log_schema(model: Model) -> pa.Schema:
    """The columns of the log: who asked for what, what was answered, by whom, and from which inputs."""
    fixed = [
        ("id", pa.string()),
        ("key", pa.string()),
        ("time", pa.int64()),
        ("event_time", pa.int64()),
        ("served_at", pa.int64()),
        ("version", pa.int64()),
        ("arm", pa.string()),
        ("channel", pa.string()),
        ("score", pa.float64()),
        ("missing", pa.list_(pa.string())),
    ]
    types = schema(model.request)
    inputs = [(name, pa.float64()) for name in model.columns.numeric]
    texts = [(name, pa.string()) for name in model.columns.categorical]
    entities = [(ENTITY_PREFIX + view.name, pa.string()) for view in model.views]
    extra = [(SENT_PREFIX + name, types.field(name).type) for name in sent_fields(model) if name not in model.inputs]
    return pa.schema([*fixed, *inputs, *texts, *extra, *entities])


def to_log_table(model: Model, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Logged rows as columns; see :func:`~smallbox.serving.predict.log_rows`."""
    columns = log_schema(model)
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
        columns = log_schema(self._project.model(model))
        found = self._lake.read(predictions_table(model), None, between)
        if found is None:
            return columns.empty_table()
        for name in set(columns.names) - set(found.column_names):  # nothing was logged since the definition has it
            found = found.append_column(columns.field(name), pa.nulls(found.num_rows, columns.field(name).type))
        return _first_of_each_id(_with_event_times(found))


def _with_event_times(rows: pa.Table) -> pa.Table:
    """Rows that were logged before there was a column ``event_time`` are for the moment of asking."""
    event_times = pc.coalesce(rows["event_time"], rows["time"])
    return rows.set_column(rows.column_names.index("event_time"), "event_time", event_times)


def _first_of_each_id(rows: pa.Table) -> pa.Table:
    numbered = rows.select(["id"]).append_column("row", pa.array(range(rows.num_rows), pa.int64()))
    return rows.take(numbered.group_by("id").aggregate([("row", "min")])["row_min"])
