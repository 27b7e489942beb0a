"""Shared code of the consumers of S3 events: gets the object's key from a message, and downloads the object."""

import tempfile
from collections.abc import Callable, Sequence
from typing import BinaryIO

from smallbox.aws.blobs import S3Blobs
from smallbox.error_codes import policy_of
from smallbox.errors import SmallboxError
from smallbox.messages.encoded import Message


def object_key(message: Message) -> str:
    """The object's key in an EventBridge ``Object Created`` event."""
    return str(message["detail"]["object"]["key"])


def each_object(
    blobs: S3Blobs, process: Callable[[str, BinaryIO, str], object], refuse: Callable[[str, SmallboxError], object]
) -> Callable[[Sequence[Message]], None]:
    """A consumer for messages that all name one object: downloads it to a file, and processes it once.

    Args:
        blobs: the bucket.
        process: gets the key, the content, and the entity tag of the content.
        refuse: gets the key and an error that a retry cannot fix; the object stays in the bucket.
    """

    def consume_one(messages: Sequence[Message]) -> None:
        key = object_key(messages[0])
        with tempfile.TemporaryFile() as content:
            stored = blobs.download(key, content)
            try:
                process(key, content, stored.tag)
            except SmallboxError as error:
                if policy_of(error).delivery == "retry":
                    raise
                refuse(key, error)

    return consume_one
