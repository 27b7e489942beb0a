"""Reads of DynamoDB at a fifth of boto3's work: a signed request on a kept connection, answered in plain JSON.

It has the two calls that a prediction makes, named and shaped as those of boto3's client.
"""

import binascii
import json
import zlib
from collections.abc import Callable, Mapping
from typing import Any, Final

from smallbox.aws import clients
from smallbox.aws.clock import now
from smallbox.aws.dynamodb.connection import ConnectionErrors, HttpAnswer, KeptConnection
from smallbox.aws.dynamodb.credentials import FindCredentials, HeldCredentials
from smallbox.aws.dynamodb.signature import Signer
from smallbox.aws.pauses import jittered
from smallbox.errors import Unavailable

READ_ATTEMPTS: Final = 4
_OK: Final = 200
_SERVER_ERROR: Final = 500
_THROTTLED: Final = {
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingException",
    "ThrottledException",
    "TooManyRequestsException",
}
_REFUSED_CREDENTIALS: Final = {"ExpiredTokenException", "UnrecognizedClientException"}


class _Again(Exception):
    """An attempt failed in a way that the next may not."""


class _Refused(_Again):
    """The credentials were refused."""


class SignedDynamoDb:
    """Sends signed requests and tries them again where that may help. Not for several threads.

    Args:
        endpoint: where DynamoDB is.
        region: the region that signatures are for.
        credentials: asked anew when DynamoDB refuses those of a request; they refresh themselves before they expire.
        pause: waits before the attempt of that number.
    """

    def __init__(
        self,
        endpoint: str,
        region: str,
        credentials: FindCredentials = clients.credentials,
        pause: Callable[[int], None] = jittered,
    ) -> None:
        self._connection = KeptConnection(endpoint)
        self._signer = Signer("dynamodb", region, self._connection.host)
        self._credentials = HeldCredentials(credentials)
        self._pause = pause

    @classmethod
    def like(cls, dynamodb: Any) -> "SignedDynamoDb":
        """One with the endpoint and the region that a boto3 client has resolved."""
        return cls(dynamodb.meta.endpoint_url, dynamodb.meta.region_name)

    def batch_get_item(self, **request: Any) -> dict[str, Any]:
        """``BatchGetItem``; binary attributes at the top of an item are bytes, as boto3 gives them.

        Raises:
            Unavailable: when DynamoDB refuses, or did not answer within the attempts.
        """
        answer = self._call("BatchGetItem", request)
        for items in answer.get("Responses", {}).values():
            for item in items:
                _decode(item)
        return answer

    def get_item(self, **request: Any) -> dict[str, Any]:
        """``GetItem``, likewise."""
        answer = self._call("GetItem", request)
        _decode(answer.get("Item", {}))
        return answer

    def _call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        body, target = json.dumps(request, separators=(",", ":")).encode(), f"DynamoDB_20120810.{operation}"
        renewed, reason = False, ""
        for attempt in range(READ_ATTEMPTS):
            if attempt:
                self._pause(attempt)
            try:
                return self._attempt(target, body)
            except _Refused as refused:
                if renewed:
                    raise Unavailable(f"DynamoDB refused the credentials, renewed ones too: {refused}") from refused
                self._credentials.renew()
                renewed, reason = True, str(refused)
            except _Again as failed:
                reason = str(failed)
        raise Unavailable(f"DynamoDB did not answer in {READ_ATTEMPTS} attempts: {reason}")

    def _attempt(self, target: str, body: bytes) -> dict[str, Any]:
        headers = self._signer.headers(target, body, self._credentials.frozen(), now())
        try:
            answer = self._connection.post(body, headers)
        except ConnectionErrors as error:
            raise _Again(f"the connection failed: {error!r}") from error
        _check(answer)
        return _parsed(answer.body)


def _decode(item: Mapping[str, Any]) -> None:
    for attribute in item.values():
        if "B" in attribute:
            attribute["B"] = binascii.a2b_base64(attribute["B"])


def _check(answer: HttpAnswer) -> None:
    """Raise unless the answer is whole and good."""
    checksum = answer.headers.get("x-amz-crc32")
    if checksum is not None and checksum != str(zlib.crc32(answer.body)):
        raise _Again("the answer was damaged on its way")
    if answer.status == _OK:
        return
    code, message = _error(answer.body)
    text = f"{answer.status} {code}: {message}"
    if code in _REFUSED_CREDENTIALS:
        raise _Refused(text)
    if answer.status >= _SERVER_ERROR or code in _THROTTLED:
        raise _Again(text)
    raise Unavailable(f"DynamoDB refused the request: {text}")


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        document: dict[str, Any] = json.loads(body)
    except ValueError as error:
        raise _Again("the answer is not JSON") from error
    return document


def _error(body: bytes) -> tuple[str, str]:
    """The code and the message of an error's body, which need not be JSON where a proxy wrote it."""
    try:
        document = json.loads(body)
        return document["__type"].rpartition("#")[2], document.get("message") or document.get("Message") or ""
    except (ValueError, TypeError, KeyError, AttributeError):
        return "", body[:200].decode(errors="replace")
