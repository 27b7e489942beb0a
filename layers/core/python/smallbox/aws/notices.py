"""The ``Notices`` port: messages to the subscribers of an SNS topic."""

from typing import Any, Final

from smallbox.aws.clients import aws_errors, client, reason_of
from smallbox.errors import Unavailable

_LONGEST_SUBJECT: Final = 100
"""What SNS takes; a subject has no line breaks either."""


class TopicNotices:
    """Publishes to one topic.

    Args:
        topic: its ARN.
        sns: a boto3 client or an equivalent; by default the process's own.
    """

    def __init__(self, topic: str, sns: Any = None) -> None:
        self._topic = topic
        self._sns = sns or client("sns")

    def tell(self, subject: str, text: str) -> None:
        """Send a message."""
        short = " ".join(subject.split())[:_LONGEST_SUBJECT]
        try:
            self._sns.publish(TopicArn=self._topic, Subject=short, Message=text)
        except aws_errors() as error:
            raise Unavailable(f"SNS did not accept the message: {reason_of(error)}") from error
