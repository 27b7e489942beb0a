"""Records as queue messages, each within the queue's limit."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from smallbox.messages.encoded import EncodedMessage
from smallbox.messages.split import MESSAGE_BYTES, split_message
from smallbox.records import Record
from smallbox.times import Micros


def pack_records(
    records: Sequence[Record], limit_bytes: int = MESSAGE_BYTES, as_of: Micros | None = None
) -> list[EncodedMessage]:
    """Messages ``{"source": ..., "records": [...]}`` of one source each; as JSON none is longer than the limit.

    Args:
        records: the records.
        limit_bytes: the limit.
        as_of: the moment that a replay names, which then rides with each message.

    Raises:
        TooLarge: when one record alone is longer.
    """
    replayed = {} if as_of is None else {"as_of": as_of}
    return [
        message
        for source, group in groupby(records, key=lambda record: record.source)
        for message in split_message(
            {"source": source, **replayed}, "records", [record.as_json() for record in group], limit_bytes
        )
    ]


def unpack_records(message: Mapping[str, Any]) -> list[Record]:
    """The records of a message."""
    return [Record.from_json(document) for document in message["records"]]


def message_moment(message: Mapping[str, Any], now: Micros) -> Micros:
    """The present of a message: the one that a replay gave it, or the real one."""
    moment: Micros = message.get("as_of", now)
    return moment
