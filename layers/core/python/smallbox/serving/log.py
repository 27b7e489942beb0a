"""The function that writes the prediction log: one commit a model and batch of messages."""

from collections.abc import Sequence

import pyarrow as pa

from smallbox.define.fields import FieldType
from smallbox.define.project import Project
from smallbox.lake.names import predictions_table
from smallbox.lake.predictions import logged_table
from smallbox.messages.encoded import Message
from smallbox.ports import Lake
from smallbox.table_columns import LOG_COLUMNS


class LogTask:
    """Appends logged predictions to the log of their model."""

    def __init__(self, project: Project, lake: Lake) -> None:
        self._project = project
        self._lake = lake

    def append(self, messages: Sequence[Message]) -> None:
        """Append the rows of messages of one model; appending them again adds rows that reading leaves out."""
        model = self._project.model(messages[0]["model"])
        tables = [logged_table(_types_of(message), message["columns"]) for message in messages]
        self._lake.append(predictions_table(model.name), pa.concat_tables(tables, promote_options="default"))


def _types_of(message: Message) -> dict[str, FieldType]:
    """The columns of a message that depend on the signature, in its order: those that it gives a type, and numbers."""
    types = message["types"]
    return {name: types.get(name, "number") for name in message["columns"] if name not in LOG_COLUMNS}
