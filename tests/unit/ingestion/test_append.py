"""Proves that a record of an older contract waits in quarantine, and that the other records of its message do not."""

import dataclasses
import json
from typing import Any

import pytest

from smallbox.define import FeatureView, Source, boolean, count, integer, number, text, timestamp
from smallbox.define.project import Project
from smallbox.ingestion.append import SMALL_BYTES, AppendTask
from smallbox.ingestion.contract import check_all
from smallbox.ingestion.quarantine import Quarantine
from smallbox.lake.names import records_table
from smallbox.messages.records import pack_records, unpack_records
from smallbox.records import Record
from smallbox.times import DAY
from tests.fakes.edges import FakeBlobs, FakeQueue
from tests.fakes.lake import FakeLake
from tests.fakes.live import live_sources

AT = "1970-01-02T00:00:00Z"
ovens = Source(
    "ovens",
    key="id",
    time="at",
    fields={
        "id": text(),
        "at": timestamp(),
        "heat": number(maximum=100),
        "hot": boolean(),
        "count": integer(nullable=True),
    },
)
GOOD: dict[str, Any] = {"id": "a", "at": AT, "heat": 20.0, "hot": True, "count": 3}


class Queued:
    """An appender with its stores, and records as they come from the queue."""

    def __init__(self) -> None:
        self.lake, self.blobs, self.features = FakeLake(), FakeBlobs(), FakeQueue()
        view = FeatureView("view", "id", ovens, {"n": count("1h")})
        project = Project({"ovens": ovens}, {"view": view}, {})
        self.quarantine = Quarantine(self.blobs)
        self.appender = AppendTask(project, live_sources(project), self.lake, self.quarantine, self.features)

    def keys(self) -> list[str]:
        """The keys in the lake."""
        rows = self.lake.read(records_table(ovens))
        return [] if rows is None else rows["key"].to_pylist()


def _record(key: str, **changes: Any) -> Record:
    (record,), _ = check_all(ovens, [{**GOOD, "id": key}], DAY)
    return dataclasses.replace(record, values={**record.values, **changes})


@pytest.mark.parametrize(
    ("older", "field", "rule", "value"),
    [
        ({"heat": "hot"}, "heat", "type", "'hot'"),
        ({"heat": True}, "heat", "type", "true"),
        ({"hot": 1}, "hot", "type", "1"),
        ({"count": 3.5}, "count", "type", "3.5"),
        ({"hot": None}, "hot", "required", "null"),
    ],
)
def test_a_record_that_today_has_no_column_for_is_quarantined(
    older: dict[str, Any], field: str, rule: str, value: str
) -> None:
    """Field, rule and value are named; the record before and after it are appended and go on to the features."""
    queued = Queued()
    messages = pack_records([_record("a"), _record("b", **older), _record("c")], as_of=DAY)
    queued.appender.append(messages)
    assert queued.keys() == ["a", "c"]
    (onwards,) = queued.features.messages
    assert [record.key for record in unpack_records(onwards)] == ["a", "c"]
    assert onwards["as_of"] == DAY
    (batch,) = queued.quarantine.batches("ovens", "1970-01-02")
    (rejection,) = queued.quarantine.read(batch)
    assert (rejection["index"], rejection["field"], rejection["rule"]) == (1, field, rule)
    assert rejection["value"] == value
    assert rejection["message"].startswith(f"{field} is {value}; today's contract requires")
    assert rejection["record"] == {**GOOD, "id": "b", **older}


def test_a_field_that_the_record_lacks_is_named() -> None:
    """A record of before the field was there is rejected where the field may not be null, and says ``missing``."""
    queued = Queued()
    older = _record("b")
    older = dataclasses.replace(older, values={n: v for n, v in older.values.items() if n != "hot"})
    queued.appender.append(pack_records([older]))
    (batch,) = queued.quarantine.batches("ovens")
    (rejection,) = queued.quarantine.read(batch)
    assert (rejection["field"], rejection["rule"], rejection["value"]) == ("hot", "required", "missing")
    assert queued.keys() == []
    assert queued.features.messages == []


@pytest.mark.parametrize("older", [{"gone": "x"}, {"count": None}, {"heat": 20}, {"heat": 900.0}])
def test_what_today_has_columns_for_is_appended(older: dict[str, Any]) -> None:
    """A field that is gone, a null that may be one, a whole number, and a value beyond a narrower range stay in."""
    queued = Queued()
    messages = pack_records([_record("a", **older)])
    queued.appender.append(messages)
    assert queued.keys() == ["a"]
    assert queued.features.messages == [json.loads(message.text) for message in messages]
    assert queued.blobs.objects == {}


def test_a_message_that_comes_again_quarantines_nothing_twice() -> None:
    """The file is named by the message's content, so the second delivery writes the same file."""
    queued = Queued()
    messages = pack_records([_record("a", heat="hot")])
    queued.appender.append(messages)
    once = dict(queued.blobs.objects)
    queued.appender.append(messages)
    assert queued.blobs.objects == once
    assert queued.quarantine.count("ovens", "1970-01-02") == 1


def test_other_messages_of_one_batch_have_files_of_their_own() -> None:
    """Two messages whose records are rejected at the same place are both in quarantine."""
    queued = Queued()
    queued.appender.append([*pack_records([_record("a", heat="hot")]), *pack_records([_record("b", heat="hot")])])
    assert queued.quarantine.count("ovens", "1970-01-02") == 2


def test_small_messages_go_on_as_one_for_each_moment() -> None:
    """Records of single requests share messages, those of a replay apart; a large message is forwarded as it came."""
    queued = Queued()
    single = [message for key in "abc" for message in pack_records([_record(key)])]
    replayed = [message for key in "de" for message in pack_records([_record(key)], as_of=DAY)]
    many = [_record(f"many {n}") for n in range(1 + SMALL_BYTES // 100)]
    (large,) = pack_records(many)
    queued.appender.append([*single, *replayed, large])
    found = [(one.get("as_of"), len(unpack_records(one))) for one in queued.features.messages]
    assert found == [(None, len(many)), (None, 3), (DAY, 2)]
