"""Queued records to the lake, then on to the features."""

from collections.abc import Mapping, Sequence
from typing import Any

from smallbox.define.project import Project
from smallbox.define.source import Source
from smallbox.ingestion.outdated import sort_out
from smallbox.ingestion.quarantine import Quarantine
from smallbox.lake.names import records_table
from smallbox.lake.schemas import records_to_table
from smallbox.messages.encoded import text_of
from smallbox.messages.records import pack_records, unpack_records
from smallbox.ports import Lake, Queue
from smallbox.records import Record, digest_of


class AppendTask:
    """One commit a source and batch of messages; a record is in the lake before the stream can apply it."""

    def __init__(self, project: Project, lake: Lake, quarantine: Quarantine, features: Queue) -> None:
        self._project = project
        self._lake = lake
        self._quarantine = quarantine
        self._features = features

    def append(self, messages: Sequence[Mapping[str, Any]]) -> None:
        """Append the records of messages of one source; doing it again adds rows that reading leaves out.

        Records that an older contract accepted and today's has no columns for go to quarantine.
        """
        source = self._project.source(messages[0]["source"])
        records: list[Record] = []
        onwards: list[Mapping[str, Any]] = []
        for message in messages:
            found = unpack_records(message)
            kept = self._kept(source, message, found)
            records += kept
            onwards += [message] if len(kept) == len(found) else pack_records(kept, as_of=message.get("as_of"))
        self._lake.append(records_table(source), records_to_table(source, records))
        if self._project.views_of(source.name):
            self._features.send(onwards)

    def _kept(self, source: Source, message: Mapping[str, Any], records: Sequence[Record]) -> list[Record]:
        kept, rejections = sort_out(source, records)
        if rejections:
            # named by content: the message writes the same file again when it is delivered again
            batch = f"append-{digest_of(text_of(message).encode())}"
            self._quarantine.add(source.name, batch, rejections, records[rejections[0].index].received_at)
        return kept
