"""What every consumer of S3's events shares: which object a message names, and its content as a file."""

import tempfile
from collections.abc import Callable, Sequence
from typing import BinaryIO

from smallbox.aws.batch import Message
from smallbox.aws.blobs import S3Blobs


def key_of(message: Message) -> str:
    """The key in an EventBridge ``Object Created`` event."""
    return str(message["detail"]["object"]["key"])


def each_object(blobs: S3Blobs, process: Callable[[str, BinaryIO], object]) -> Callable[[Sequence[Message]], None]:
    """A consumer of messages that all name one object: downloads it to a file and processes it once."""

    def consume_one(messages: Sequence[Message]) -> None:
        key = key_of(messages[0])
        with tempfile.TemporaryFile() as content:
            blobs.download(key, content)
            process(key, content)

    return consume_one
