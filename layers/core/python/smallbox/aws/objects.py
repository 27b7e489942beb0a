"""The object that an S3 event names."""

from smallbox.messages.encoded import Message


def object_key(message: Message) -> str:
    """The object's key in an EventBridge ``Object Created`` event."""
    return str(message["detail"]["object"]["key"])
