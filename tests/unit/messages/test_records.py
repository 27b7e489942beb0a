"""Queue messages."""

import json

import pytest

from smallbox.errors import TooLarge
from smallbox.messages.records import pack_records, unpack_records
from smallbox.records import Record


def _records(count: int, source: str = "s") -> list[Record]:
    return [Record(source, f"k{n}", n, n, n, {"text": "é" * (n % 50)}) for n in range(count)]


def test_messages_hold_all_records_within_the_limit() -> None:
    """Packing splits at the limit, mixes no sources, and unpacking gives back all records in order."""
    records = _records(200) + _records(3, "t")
    messages = pack_records(records, limit_bytes=3_000)
    assert all(len(message.text) <= 3_000 for message in messages)
    assert [json.loads(message.text) for message in messages] == messages
    assert [record for message in messages for record in unpack_records(message)] == records
    assert {message["source"] for message in messages} == {"s", "t"}


def test_nothing_packs_to_no_message() -> None:
    """No records make no message."""
    assert pack_records([]) == []


def test_a_record_beyond_the_limit_is_refused() -> None:
    """A record that fits into no message raises rather than being lost."""
    with pytest.raises(TooLarge):
        pack_records(_records(50), limit_bytes=120)


def test_a_replayed_moment_rides_with_each_message() -> None:
    """The moment is part of the text that is sent and of what the limit is about."""
    messages = pack_records(_records(200), limit_bytes=3_000, as_of=7)
    assert {json.loads(message.text)["as_of"] for message in messages} == {7}
    assert max(len(message.text) for message in messages) <= 3_000
