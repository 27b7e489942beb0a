"""Logged predictions as queue messages.

    {"model": "late_arrival", "columns": {"id": [...], "key": [...], "score": [...], ...}}

The columns are those of the model's prediction log in the lake, in step; see
:func:`smallbox.lake.schemas.prediction_schema`.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from smallbox.errors import TooLarge
from smallbox.messages.encoded import EncodedMessage
from smallbox.messages.split import MESSAGE_BYTES
from smallbox.records import COMPACT_JSON

SHORT: Final = 32
"""How many characters a text keeps when its row alone would be too long for a message."""


@dataclass(frozen=True, slots=True)
class LoggedPredictions:
    """Predictions as columns of the log.

    Attributes:
        model: the model's name.
        columns: the values by the log's column, JSON-ready and in step.
        texts: the columns of inputs and sent fields; a text there may be cut when its row is too long.
    """

    model: str
    columns: Mapping[str, list[Any]]
    texts: Collection[str]

    def __len__(self) -> int:
        return len(self.columns["id"])

    def messages(self) -> list[EncodedMessage]:
        """Messages with all rows in order, each within the queue's limit.

        A row that is too long for a message of its own is logged with the first ``SHORT`` characters of its texts. Key
        and entities stay whole. The skew audit then reports these texts as different, which they are.

        Raises:
            TooLarge: when a row is too long even so.
        """
        return list(self._parts(0, len(self)))

    def _parts(self, start: int, end: int) -> Iterator[EncodedMessage]:
        message = self._message(start, end)
        length = len(message.text)
        if length <= MESSAGE_BYTES:
            yield message
        elif end - start > 1:
            # equal parts: encoding all of it once costs less than encoding row by row
            size = -(-(end - start) // min(-(-length // MESSAGE_BYTES), end - start))
            for at in range(start, end, size):
                yield from self._parts(at, min(at + size, end))
        else:
            yield self._shortened(start)

    def _message(self, start: int, end: int) -> EncodedMessage:
        content = {"model": self.model, "columns": {name: values[start:end] for name, values in self.columns.items()}}
        return EncodedMessage(content, COMPACT_JSON.encode(content))

    def _shortened(self, row: int) -> EncodedMessage:
        cut = {name: [_short(value) for value in self.columns[name][row : row + 1]] for name in self.texts}
        whole = {name: values[row : row + 1] for name, values in self.columns.items()}
        content = {"model": self.model, "columns": {**whole, **cut}}
        text = COMPACT_JSON.encode(content)
        if len(text) > MESSAGE_BYTES:
            raise TooLarge(
                f"a prediction of {len(text)} bytes does not fit into a message of {MESSAGE_BYTES}",
                limit=MESSAGE_BYTES,
            )
        return EncodedMessage(content, text)


def _short(value: Any) -> Any:
    return value[:SHORT] if isinstance(value, str) else value
