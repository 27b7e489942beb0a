"""Records as queue messages, each within the queue's limit."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from smallbox.errors import TooLarge
from smallbox.records import COMPACT, Record
from smallbox.times import Micros
from smallbox.written import Written

LIMIT_BYTES: Final = 250_000
"""Below SQS's 256 KiB, with room for what an adapter adds."""


def pack(records: Sequence[Record], limit_bytes: int = LIMIT_BYTES, as_of: Micros | None = None) -> list[Written]:
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
        for message in _parts({"source": source, **replayed}, [record.as_json() for record in group], limit_bytes)
    ]


def _parts(head: dict[str, Any], documents: list[dict[str, Any]], limit: int) -> Iterator[Written]:
    """One message; where it is too long, parts of equal numbers: a text of all is cheaper than a text of each."""
    content = {**head, "records": documents}
    text = COMPACT.encode(content)
    length = len(text)
    if length <= limit:
        yield Written(content, text)
    elif len(documents) == 1:
        raise TooLarge(f"a record of {length} bytes does not fit into a message of {limit}", limit=limit)
    else:
        size = -(-len(documents) // min(-(-length // limit), len(documents)))
        for start in range(0, len(documents), size):
            yield from _parts(head, documents[start : start + size], limit)


def unpack(message: Mapping[str, Any]) -> list[Record]:
    """The records of a message."""
    return [Record.from_json(document) for document in message["records"]]


def moment_of(message: Mapping[str, Any], now: Micros) -> Micros:
    """The present of a message: the one that a replay gave it, or the real one."""
    moment: Micros = message.get("as_of", now)
    return moment
