"""A queue message cut into several, each within the queue's limit."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from smallbox.errors import TooLarge
from smallbox.messages.encoded import EncodedMessage
from smallbox.records import COMPACT_JSON

MESSAGE_BYTES: Final = 250_000
"""Below SQS's 256 KiB, with room for what an adapter adds."""


def split_message(
    head: Mapping[str, Any],
    name: str,
    documents: Sequence[Mapping[str, Any]],
    limit: int = MESSAGE_BYTES,
    shorten: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None,
) -> Iterator[EncodedMessage]:
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
    text = COMPACT_JSON.encode(content)
    length = len(text)
    if length <= limit:
        yield EncodedMessage(content, text)
    elif len(documents) > 1:
        size = -(-len(documents) // min(-(-length // limit), len(documents)))
        for start in range(0, len(documents), size):
            yield from split_message(head, name, documents[start : start + size], limit, shorten)
    elif shorten is not None:
        yield from split_message(head, name, [shorten(documents[0])], limit)
    else:
        raise TooLarge(f"one of {name}, of {length} bytes, does not fit into a message of {limit}", limit=limit)
