"""What every consumer of S3's events shares: which object a message names, and its content as a file."""

import tempfile
from collections.abc import Callable, Sequence
from typing import BinaryIO

from smallbox.aws.blobs import S3Blobs
from smallbox.errors import SmallboxError, policy_of
from smallbox.messages.encoded import Message


def object_key(message: Message) -> str:
    """The key in an EventBridge ``Object Created`` event."""
    return str(message["detail"]["object"]["key"])


def each_object(
    blobs: S3Blobs, process: Callable[[str, BinaryIO, str], object], refuse: Callable[[str, SmallboxError], object]
) -> Callable[[Sequence[Message]], None]:
    """A consumer of messages that all name one object: downloads it to a file and processes it once.

    ``process`` gets the key, the content, and the tag that tells it from other content under the same key.

    An error that trying again cannot mend is reported through ``refuse``; the object stays where it is.
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
