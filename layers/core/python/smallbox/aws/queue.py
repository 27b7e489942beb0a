"""The ``Queue`` port on an SQS queue."""

from collections.abc import Mapping, Sequence
from typing import Any

from smallbox.aws.clients import aws_errors, client, reason_of
from smallbox.errors import SmallboxError, Unavailable
from smallbox.messages.encoded import text_of
from smallbox.times import SECOND, Micros


class SqsQueue:
    """The ``Queue`` port on one queue.

    It makes one call per message, which avoids partial failures. Messages are large (hundreds of records), so there
    are usually only one or two.

    Args:
        url: the queue's URL.
        sqs: a boto3 client, or one like :mod:`smallbox.aws.signed.sqs`; by default the process's own boto3 client.
    """

    def __init__(self, url: str, sqs: Any = None) -> None:
        self._url = url
        self._given = sqs

    @property
    def _sqs(self) -> Any:
        return self._given or client("sqs")

    def send(self, messages: Sequence[Mapping[str, Any]], delay: Micros = 0, within: Micros | None = None) -> None:
        """Send all messages, or raise :class:`Unavailable`; SQS delays by at most 15 minutes.

        ``within``, the longest time for each message, needs a signed client.
        """
        limited = {} if within is None else {"within": within}
        for message in messages:
            try:
                self._sqs.send_message(
                    QueueUrl=self._url, MessageBody=text_of(message), DelaySeconds=delay // SECOND, **limited
                )
            except SmallboxError:
                raise
            except aws_errors() as error:
                raise Unavailable(f"the queue did not accept the message: {reason_of(error)}") from error
