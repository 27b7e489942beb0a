"""The one write of a prediction to SQS, with the name and shape of boto3's client."""

from collections.abc import Callable
from typing import Any

from smallbox.aws.backoff import jittered
from smallbox.aws.signed.credentials import FindCredentials, found_credentials
from smallbox.aws.signed.service import SignedService
from smallbox.times import Micros


class SignedSqs:
    """Sends signed messages, with retries. Not thread-safe. For the arguments see :class:`SignedService`."""

    def __init__(
        self,
        endpoint: str | None = None,
        region: str | None = None,
        credentials: FindCredentials = found_credentials,
        pause: Callable[[int], None] = jittered,
    ) -> None:
        self._service = SignedService("sqs", endpoint, region, credentials, pause)

    def send_message(self, within: Micros | None = None, **request: Any) -> dict[str, Any]:
        """``SendMessage``. An attempt whose answer was lost is repeated, so a message may arrive twice.

        Args:
            within: the time for all attempts together; see :meth:`SignedService.json`.
            request: boto3's arguments.

        Raises:
            Unavailable: when SQS refuses the message, or no attempt succeeds in time.
        """
        return self._service.json("AmazonSQS.SendMessage", request, within)
