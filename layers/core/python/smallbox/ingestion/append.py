"""``ingestion/append``: appends queued records to the lake, then forwards them to the features queue."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from smallbox.define.project import Project
from smallbox.define.source import Source
from smallbox.ingestion.outdated_records import split_outdated
from smallbox.ingestion.profiled_records import RecordProfiles
from smallbox.ingestion.quarantine import Quarantine
from smallbox.lake.names import records_table
from smallbox.lake.schemas import records_to_table
from smallbox.messages.encoded import text_of
from smallbox.messages.records import pack_records, unpack_records
from smallbox.messages.split import MESSAGE_BYTES
from smallbox.ports import Lake, Queue
from smallbox.records import Record, digest_of
from smallbox.registry.live_sources import LiveSources
from smallbox.times import Micros

SMALL_BYTES: Final = MESSAGE_BYTES // 4
"""Messages up to this size are gathered into larger ones before they are forwarded: each message is paid for."""


class AppendTask:
    """One commit per source and batch of messages. A record is in the lake before the stream can apply it."""

    def __init__(
        self,
        project: Project,
        live: LiveSources,
        lake: Lake,
        quarantine: Quarantine,
        features: Queue,
        profiles: RecordProfiles | None = None,
    ) -> None:
        self._project = project
        self._live = live
        self._lake = lake
        self._quarantine = quarantine
        self._features = features
        self._profiles = profiles

    def append(self, messages: Sequence[Mapping[str, Any]]) -> None:
        """Append the records of messages of one source.

        Safe to repeat: a redelivery adds duplicate rows, which readers of the lake drop. Records of an older contract
        that do not fit today's columns go to quarantine.
        """
        source = self._project.source(messages[0]["source"])
        records: list[Record] = []
        onwards: list[Mapping[str, Any]] = []
        gathered: dict[Micros | None, list[Record]] = {}
        for message in messages:
            found = unpack_records(message)
            kept = self._kept(source, message, found)
            records += kept
            if len(kept) == len(found) and len(text_of(message)) > SMALL_BYTES:
                onwards.append(message)
            else:
                gathered.setdefault(message.get("as_of"), []).extend(kept)
        rows = records_to_table(source, records)
        self._lake.append(records_table(source), rows)
        if source.name in self._live.names():
            onwards += [one for as_of, some in gathered.items() for one in pack_records(some, as_of=as_of)]
            self._features.send(onwards)
        if self._profiles is not None:
            self._profiles.add(source, rows)

    def _kept(self, source: Source, message: Mapping[str, Any], records: Sequence[Record]) -> list[Record]:
        kept, rejections = split_outdated(source, records)
        if rejections:
            # named by content hash, so that a redelivered message overwrites the same file
            batch = f"append-{digest_of(text_of(message).encode())}"
            self._quarantine.add(source.name, batch, rejections, records[rejections[0].index].received_at)
        return kept
