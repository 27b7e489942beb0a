"""A queue's message together with its JSON text."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from smallbox.records import COMPACT_JSON

Message = Mapping[str, Any]
"""A queue message: a JSON object."""


class EncodedMessage(Mapping[str, Any]):
    """A JSON object that cannot change, and the text that it was written as or read from.

    Writing a message of hundreds of records takes as long as checking half of them. With its text a message is written
    once, however often it is measured, sent and sent on.

    Args:
        content: the object.
        text: its JSON.

    >>> message = EncodedMessage.read('{"n": 1}')
    >>> message["n"], message == {"n": 1}, text_of(message), text_of({"n": 1})
    (1, True, '{"n": 1}', '{"n":1}')
    """

    __slots__ = ("_content", "text")

    def __init__(self, content: Mapping[str, Any], text: str) -> None:
        self._content = content
        self.text = text

    @classmethod
    def read(cls, text: str) -> "EncodedMessage":
        """The message that a text is; ``ValueError`` when it is not JSON, ``TypeError`` when it is no object."""
        content = json.loads(text)
        if not isinstance(content, dict):
            raise TypeError("a message must be a JSON object")
        return cls(content, text)

    def __getitem__(self, name: str) -> Any:
        return self._content[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._content)

    def __len__(self) -> int:
        return len(self._content)

    def __repr__(self) -> str:
        return f"EncodedMessage({self.text})"


def text_of(message: Mapping[str, Any]) -> str:
    """A message as it is sent: the text that it has, or its JSON."""
    return message.text if isinstance(message, EncodedMessage) else COMPACT_JSON.encode(message)
