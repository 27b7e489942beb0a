"""Logged rows as queue messages."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from smallbox.messages.encoded import EncodedMessage
from smallbox.messages.split import split_message

SHORT: Final = 32
"""Letters that a text keeps in a row that is too long for a message otherwise."""


def pack_predictions(model: str, rows: Sequence[Mapping[str, Any]]) -> list[EncodedMessage]:
    """Messages ``{"model": ..., "rows": [...]}`` with all rows in order, each within the queue's limit.

    A row that does not fit alone is logged with its texts cut to their first letters, key and entities whole. Then the
    skew audit finds these texts unlike the recomputed ones, which they are.

    Raises:
        TooLarge: when a row does not fit even so.
    """
    return list(split_message({"model": model}, "rows", rows, shorten=_shortened))


def _shortened(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, **{part: {name: _short(value) for name, value in row[part].items()} for part in ("inputs", "sent")}}


def _short(value: Any) -> Any:
    return value[:SHORT] if isinstance(value, str) else value
