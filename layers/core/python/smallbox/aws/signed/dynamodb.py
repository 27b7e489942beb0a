"""The calls of predictions and of the stream to DynamoDB, with the names and shapes of boto3's client."""

import binascii
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from smallbox.aws.backoff import jittered
from smallbox.aws.signed.credentials import FindCredentials, found_credentials
from smallbox.aws.signed.service import SignedService
from smallbox.times import Micros


class SignedDynamoDb:
    """Sends signed requests, with retries. Not thread-safe. For the arguments see :class:`SignedService`."""

    def __init__(
        self,
        endpoint: str | None = None,
        region: str | None = None,
        credentials: FindCredentials = found_credentials,
        pause: Callable[[int], None] = jittered,
    ) -> None:
        self._service = SignedService("dynamodb", endpoint, region, credentials, pause)

    def batch_get_item(self, within: Micros | None = None, **request: Any) -> dict[str, Any]:
        """``BatchGetItem``; top-level binary attributes are ``bytes``, as with boto3.

        Args:
            within: the time for all attempts together; see :meth:`SignedService.json`.
            request: boto3's arguments.

        Raises:
            Unavailable: when DynamoDB refuses the request, or no attempt succeeds in time.
        """
        answer = self._service.json("DynamoDB_20120810.BatchGetItem", request, within)
        for items in answer.get("Responses", {}).values():
            for item in items:
                _decode(item)
        return answer

    def get_item(self, within: Micros | None = None, **request: Any) -> dict[str, Any]:
        """``GetItem``; otherwise like :meth:`batch_get_item`."""
        answer = self._service.json("DynamoDB_20120810.GetItem", request, within)
        _decode(answer.get("Item", {}))
        return answer

    def transact_write_items(self, **request: Any) -> dict[str, Any]:
        """``TransactWriteItems`` of puts; top-level binary attributes may be ``bytes``, as with boto3.

        An attempt whose answer was lost is repeated with the same token, so AWS applies the transaction once.

        Raises:
            TransactionCanceled: when DynamoDB cancels the transaction, with the reason of each item.
            Unavailable: when no attempt succeeds.
        """
        items = [{"Put": {**one["Put"], "Item": _encoded(one["Put"]["Item"])}} for one in request["TransactItems"]]
        asked = {**request, "TransactItems": items, "ClientRequestToken": str(uuid.uuid4())}
        return self._service.json("DynamoDB_20120810.TransactWriteItems", asked)

    def update_item(self, within: Micros | None = None, **request: Any) -> dict[str, Any]:
        """``UpdateItem``. An attempt whose answer was lost is repeated, so an increment may be applied twice.

        Raises:
            ConditionFailed: when the condition does not hold.
            Unavailable: as :meth:`batch_get_item`.
        """
        return self._service.json("DynamoDB_20120810.UpdateItem", request, within)


def _encoded(item: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: {"B": binascii.b2a_base64(value["B"], newline=False).decode()} if "B" in value else value
        for name, value in item.items()
    }


def _decode(item: Mapping[str, Any]) -> None:
    for attribute in item.values():
        if "B" in attribute:
            attribute["B"] = binascii.a2b_base64(attribute["B"])
