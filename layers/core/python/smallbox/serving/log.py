"""The function that writes the prediction log: one commit a model and batch of messages."""

from collections.abc import Sequence

import pyarrow as pa

from smallbox.define.fields import FieldType
from smallbox.define.project import Project
from smallbox.lake.names import predictions_table
from smallbox.lake.predictions import logged_table
from smallbox.messages.encoded import Message
from smallbox.ports import Lake
from smallbox.serving.profiled_predictions import PredictionProfiles
from smallbox.table_columns import LOG_COLUMNS


class LogTask:
    """Appends logged predictions to the log of their model."""

    def __init__(self, project: Project, lake: Lake, profiles: PredictionProfiles | None = None) -> None:
        self._project = project
        self._lake = lake
        self._profiles = profiles

    def append(self, messages: Sequence[Message]) -> None:
        """Append the rows of messages of one model; appending them again adds rows that reading leaves out."""
        model = self._project.model(messages[0]["model"])
        tables = [logged_table(_types_of(message), message["columns"]) for message in messages]
        rows = pa.concat_tables(tables, promote_options="default")
        self._lake.append(predictions_table(model.name), rows)
        if self._profiles is not None:
            self._profiles.add(model.name, rows)


def _types_of(message: Message) -> dict[str, FieldType]:
    """The columns of a message that depend on the signature, in its order: those that it gives a type, and numbers."""
    types = message["types"]
    return {name: types.get(name, "number") for name in message["columns"] if name not in LOG_COLUMNS}
