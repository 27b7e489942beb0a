"""Records as queue messages, each within the queue's limit."""

from collections.abc import Callable, Iterator, Mapping, Sequence
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
        for message in split(
            {"source": source, **replayed}, "records", [record.as_json() for record in group], limit_bytes
        )
    ]


def split(
    head: Mapping[str, Any],
    name: str,
    documents: Sequence[Mapping[str, Any]],
    limit: int = LIMIT_BYTES,
    shorten: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None,
) -> Iterator[Written]:
    """Messages that have the head and, under a name, some of the documents each; as JSON none is longer than the limit.

    Where one message is too long, it becomes parts of equal numbers: a text of all is cheaper than a text of each.

    Args:
        head: what each message says besides.
        name: under which the documents stand.
        documents: one after the other; none makes a message without any.
        limit: in bytes.
        shorten: makes a document short that does not fit into a message alone.

    Raises:
        TooLarge: when one document alone is longer, after it was made short.
    """
    content = {**head, name: list(documents)}
    text = COMPACT.encode(content)
    length = len(text)
    if length <= limit:
        yield Written(content, text)
    elif len(documents) > 1:
        size = -(-len(documents) // min(-(-length // limit), len(documents)))
        for start in range(0, len(documents), size):
            yield from split(head, name, documents[start : start + size], limit, shorten)
    elif shorten is not None:
        yield from split(head, name, [shorten(documents[0])], limit)
    else:
        raise TooLarge(f"one of {name}, of {length} bytes, does not fit into a message of {limit}", limit=limit)


def unpack(message: Mapping[str, Any]) -> list[Record]:
    """The records of a message."""
    return [Record.from_json(document) for document in message["records"]]


def moment_of(message: Mapping[str, Any], now: Micros) -> Micros:
    """The present of a message: the one that a replay gave it, or the real one."""
    moment: Micros = message.get("as_of", now)
    return moment
