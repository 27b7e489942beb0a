"""Many rows in as few queue messages as fit."""

from collections.abc import Callable, Iterator
from typing import Final

from smallbox.errors import TooLarge
from smallbox.messages.encoded import EncodedMessage

MESSAGE_BYTES: Final = 250_000
"""The most bytes of a message: below the 256 KiB of SQS, with room for what an adapter adds."""


def split_rows(
    message: Callable[[slice], EncodedMessage],
    rows: slice,
    limit: int = MESSAGE_BYTES,
    shortened: Callable[[int], EncodedMessage] | None = None,
) -> Iterator[EncodedMessage]:
    """Messages that hold all rows in order, each within the limit.

    Rows that are too long for one message are divided into equal parts: encoding all of them once costs less than
    encoding row by row.

    Args:
        message: the message with the rows of a slice.
        rows: which rows, from ``start`` to before ``stop``; no rows give one message without any.
        limit: in bytes.
        shortened: the message with one row that is too long, cut down.

    Raises:
        TooLarge: when one row alone is longer than the limit, cut down or not.
    """
    encoded, count = message(rows), rows.stop - rows.start
    length = len(encoded.text)
    if length <= limit:
        yield encoded
    elif count > 1:
        size = -(-count // min(-(-length // limit), count))
        for start in range(rows.start, rows.stop, size):
            yield from split_rows(message, slice(start, min(start + size, rows.stop)), limit, shortened)
    elif shortened is not None:
        yield from split_rows(lambda _: shortened(rows.start), rows, limit)
    else:
        raise TooLarge(f"one row of {length} bytes does not fit into a message of {limit}", limit=limit)
