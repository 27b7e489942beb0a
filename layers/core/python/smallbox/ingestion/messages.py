"""Records as queue messages, each within the queue's limit."""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from smallbox.errors import TooLarge
from smallbox.records import Record
from smallbox.times import Micros

LIMIT_BYTES: Final = 250_000
"""Below SQS's 256 KiB, with room for what an adapter adds."""
_ENCODER: Final = json.JSONEncoder(check_circular=False)


def pack(records: Sequence[Record], limit_bytes: int = LIMIT_BYTES) -> list[dict[str, Any]]:
    """Messages ``{"source": ..., "records": [...]}`` of one source each; as JSON none is longer than the limit.

    Raises:
        TooLarge: when one record alone is longer.
    """
    return [
        {"source": source, "records": part}
        for source, group in groupby(records, key=lambda record: record.source)
        for part in _parts(source, [record.as_json() for record in group], limit_bytes)
    ]


def _parts(source: str, documents: list[dict[str, Any]], limit: int) -> Iterator[list[dict[str, Any]]]:
    """Parts of equal numbers, cut again where one is still too long: a text of all is cheaper than a text of each."""
    length = len(_ENCODER.encode({"source": source, "records": documents}))
    if length <= limit:
        yield documents
    elif len(documents) == 1:
        raise TooLarge(f"a record of {length} bytes does not fit into a message of {limit}", limit=limit)
    else:
        size = -(-len(documents) // min(-(-length // limit), len(documents)))
        for start in range(0, len(documents), size):
            yield from _parts(source, documents[start : start + size], limit)


def unpack(message: Mapping[str, Any]) -> list[Record]:
    """The records of a message."""
    return [Record.from_json(document) for document in message["records"]]


def moment_of(message: Mapping[str, Any], now: Micros) -> Micros:
    """The present of a message: the one that a replay gave it, or the real one."""
    moment: Micros = message.get("as_of", now)
    return moment
