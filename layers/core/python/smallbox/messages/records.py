"""Records as queue messages, each within the queue's limit.

{"source": "weather", "records": [{...}, ...]}                   of the present
{"source": "weather", "records": [{...}, ...], "as_of": 136...}  of a replay: its present, in microseconds
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from smallbox.messages.encoded import EncodedMessage, Message
from smallbox.messages.split import MESSAGE_BYTES, split_rows
from smallbox.records import COMPACT_JSON, Record
from smallbox.times import Micros


def pack_records(
    records: Sequence[Record], limit_bytes: int = MESSAGE_BYTES, as_of: Micros | None = None
) -> list[EncodedMessage]:
    """Messages of one source each; as JSON none is longer than the limit.

    Args:
        records: the records.
        limit_bytes: the limit.
        as_of: the present of a replay, which each message then carries.

    Raises:
        TooLarge: when one record alone is longer.
    """
    replayed = {} if as_of is None else {"as_of": as_of}
    return [
        message
        for source, group in groupby(records, key=lambda record: record.source)
        for message in _split({"source": source, **replayed}, [record.as_json() for record in group], limit_bytes)
    ]


def _split(head: Message, documents: Sequence[Message], limit: int) -> Iterator[EncodedMessage]:
    def message(rows: slice) -> EncodedMessage:
        content = {**head, "records": documents[rows]}
        return EncodedMessage(content, COMPACT_JSON.encode(content))

    return split_rows(message, slice(0, len(documents)), limit)


def unpack_records(message: Mapping[str, Any]) -> list[Record]:
    """The records of a message."""
    return [Record.from_json(document) for document in message["records"]]


def message_moment(message: Mapping[str, Any], now: Micros) -> Micros:
    """The present of a message: the replay's when it carries one, else ``now``."""
    moment: Micros = message.get("as_of", now)
    return moment
