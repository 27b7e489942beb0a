"""Queued records to the lake, then on to the features."""

from collections.abc import Mapping, Sequence
from typing import Any

from smallbox.define.project import Project
from smallbox.ingestion.messages import unpack
from smallbox.ingestion.table import name_of, to_table
from smallbox.ports import Lake, Queue
from smallbox.records import Record


class Appender:
    """One commit a source and batch of messages; a record is in the lake before the stream can apply it."""

    def __init__(self, project: Project, lake: Lake, features: Queue) -> None:
        self._project = project
        self._lake = lake
        self._features = features

    def append(self, messages: Sequence[Mapping[str, Any]]) -> None:
        """Append the records of messages of one source; doing it again adds rows that reading leaves out."""
        records: list[Record] = [record for message in messages for record in unpack(message)]
        source = self._project.source(messages[0]["source"])
        self._lake.append(name_of(source), to_table(source, records))
        if self._project.views_of(source.name):
            self._features.send(messages)
