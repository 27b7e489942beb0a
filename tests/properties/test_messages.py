"""A batch of messages: whichever are bad, and wherever the work breaks off, only the bad ones come back."""

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from smallbox.aws.batch import consume
from smallbox.define import FeatureView, Source, count, number, text, timestamp
from smallbox.define.project import Project
from smallbox.ingestion.append import AppendTask
from smallbox.ingestion.contract import check_all
from smallbox.ingestion.quarantine import Quarantine
from smallbox.lake.history import history
from smallbox.lake.names import records_table
from smallbox.messages.encoded import Message
from smallbox.messages.records import pack_records, unpack_records
from smallbox.times import DAY
from tests.fakes.crashing import CrashingBlobs, CrashingLake, CrashingQueue, Fuse
from tests.fakes.live import live_sources

source = Source("things", "id", "at", {"id": text(), "at": timestamp(), "size": number(nullable=True)})
PROJECT = Project({"things": source}, {"view": FeatureView("view", "id", source, {"n": count("1h")})}, {})
KINDS = ("good", "older", "torn", "poisonous")
"""Sound; one of its records is of an older contract; no message; its records cannot be stored."""


def _body(number: int, kind: str) -> str:
    raws = [{"id": f"{number}-{n}", "at": "1970-01-02T00:00:00Z", "size": n} for n in range(3)]
    records, _ = check_all(source, raws, DAY)
    if kind == "older":
        records[1] = dataclasses.replace(records[1], values={**records[1].values, "size": "large"})
    if kind == "poisonous":
        records[1] = dataclasses.replace(records[1], values={**records[1].values, "id": "\ud800"})
    (message,) = pack_records(records)
    return "{" if kind == "torn" else message.text


class Consumer:
    """The appender behind its queue."""

    def __init__(self) -> None:
        self.fuse = Fuse()
        self.lake, self.blobs, self.features = (
            CrashingLake(self.fuse),
            CrashingBlobs(self.fuse),
            CrashingQueue(self.fuse),
        )
        self._appender = AppendTask(PROJECT, live_sources(PROJECT), self.lake, Quarantine(self.blobs), self.features)

    def deliver(self, bodies: dict[str, str], crash_after: int | None) -> dict[str, str]:
        """Deliver messages by their ids; those that come back. At one write the work breaks off, then goes on."""
        self.fuse.crash_after(crash_after)
        event = {"Records": [{"messageId": name, "body": body} for name, body in bodies.items()]}
        failed = consume(event, lambda message: str(message["source"]), self._append)["batchItemFailures"]
        return {name: body for name, body in bodies.items() if {"itemIdentifier": name} in failed}

    def _append(self, messages: Sequence[Message]) -> None:
        try:
            self._appender.append(messages)
        finally:
            self.fuse.crash_after(None)

    def seen(self) -> dict[str, Any]:
        """What others see: the log, each version once; the keys that the stream got; quarantine."""
        table = self.lake.read(records_table(source))
        rows = [] if table is None else history(table).to_pylist()
        streamed = {record.key for message in self.features.messages for record in unpack_records(message)}
        return {
            "rows": sorted(rows, key=lambda row: str(row["key"])),
            "streamed": streamed,
            "quarantine": {key: json.loads(content) for key, content in self.blobs.objects.items()},
        }


@given(
    kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=9),
    crashes=st.lists(st.sampled_from([0, 1, 2, 3, 5, None]), max_size=3),
)
@settings(max_examples=100)
def test_only_the_bad_messages_come_back(kinds: list[str], crashes: list[int | None]) -> None:
    """What others see is what each sound message alone would have left, however often the work broke off halfway.

    A record of an older contract fails no message: it waits in quarantine, once.
    """
    bodies = {str(number): _body(number, kind) for number, kind in enumerate(kinds)}
    sound = {name: body for name, body in bodies.items() if kinds[int(name)] in {"good", "older"}}
    alone = Consumer()
    for name, body in sound.items():
        assert alone.deliver({name: body}, None) == {}
    together, left = Consumer(), bodies
    for crash_after in [*crashes, None]:
        left = together.deliver(left, crash_after)
    assert left.keys() == bodies.keys() - sound.keys()
    assert together.seen() == alone.seen()
