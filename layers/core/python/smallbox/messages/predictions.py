"""Logged predictions as queue messages.

    {"model": "late_arrival",
     "types": {"origin": "text", "sent_scheduled_at": "timestamp", "entity_carrier": "text", ...},
     "columns": {"id": [...], "key": [...], "score": [...], "distance": [...], "origin": [...], ...}}

The columns are those of the model's prediction log in the lake, in step; see
:func:`smallbox.lake.schemas.prediction_schema`. Each message is about one version. It says of which type the columns
are that depend on the version's signature; the others of these are numbers. So the function that writes the log need
not know the version.

While a canary runs the first message of a request also has its mark, ``"canary"``; a request that failed in a canary is
a message with a mark and no columns.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from smallbox.define.fields import FieldType
from smallbox.messages.encoded import EncodedMessage, Message
from smallbox.messages.split import split_rows
from smallbox.records import COMPACT_JSON

SHORT: Final = 32
"""How many characters a text keeps when its row alone would be too long for a message."""


@dataclass(frozen=True, slots=True)
class LoggedPredictions:
    """Predictions of one version as columns of the log.

    Attributes:
        model: the model's name.
        columns: the values by the log's column, JSON-ready and in step.
        types: the type of each column that depends on the version's signature.
        texts: the columns of inputs and sent fields; a text there may be cut when its row is too long.
        canary: the mark of the request, while a canary runs; see :mod:`smallbox.release.canary_marks`. The first
            message carries it.
    """

    model: str
    columns: Mapping[str, list[Any]]
    types: Mapping[str, FieldType]
    texts: Collection[str]
    canary: Mapping[str, Any] | None = None

    def __len__(self) -> int:
        return len(self.columns["id"])

    def messages(self) -> list[EncodedMessage]:
        """Messages with all rows in order, each within the queue's limit.

        A row that is too long for a message of its own is logged with the first ``SHORT`` characters of its texts. Key
        and entities stay whole. The skew audit then reports these texts as different, which they are.

        Raises:
            TooLarge: when a row is too long even so.
        """
        return list(split_rows(self._message, slice(0, len(self)), shortened=self._shortened))

    def _message(self, rows: slice) -> EncodedMessage:
        if rows == slice(0, len(self)):
            return self._encoded(self.columns, rows.start)
        return self._encoded({name: values[rows] for name, values in self.columns.items()}, rows.start)

    def _shortened(self, row: int) -> EncodedMessage:
        whole = {name: values[row : row + 1] for name, values in self.columns.items()}
        return self._encoded(whole | {name: [_short(value) for value in whole[name]] for name in self.texts}, row)

    def _encoded(self, columns: Mapping[str, list[Any]], first: int) -> EncodedMessage:
        types = {name: type_ for name, type_ in self.types.items() if type_ != "number"}
        content = {"model": self.model, "types": types, "columns": columns}
        if self.canary is not None and first == 0:
            content["canary"] = self.canary
        return EncodedMessage(content, COMPACT_JSON.encode(content))


def failed_request(model: str, canary: Mapping[str, Any]) -> EncodedMessage:
    """The message of a request that failed in a canary."""
    content = {"model": model, "canary": canary}
    return EncodedMessage(content, COMPACT_JSON.encode(content))


def is_failed(message: Message) -> bool:
    """Whether a message is that of a request that failed, which has no columns."""
    return message.keys() == {"model", "canary"}


def _short(value: Any) -> Any:
    return value[:SHORT] if isinstance(value, str) else value
