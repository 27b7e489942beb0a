"""DynamoDB client with a fifth of boto3's CPU time: signed JSON requests on one keep-alive connection.

It has the reads of a prediction and the writes of the stream, with the names and shapes of boto3's client.
"""

import binascii
import json
import uuid
import zlib
from collections.abc import Callable, Mapping
from typing import Any, Final

from botocore.exceptions import ClientError

from smallbox.aws import clients
from smallbox.aws.backoff import jittered
from smallbox.aws.clock import now
from smallbox.aws.dynamodb.connection import ANSWER_SECONDS, ConnectionErrors, HttpAnswer, KeptConnection
from smallbox.aws.dynamodb.credentials import FindCredentials, HeldCredentials
from smallbox.aws.dynamodb.signature import Signer
from smallbox.errors import Unavailable

READ_ATTEMPTS: Final = 4
WRITE_SECONDS: Final = 8.0
"""Read timeout of transactions: one of four megabytes takes longer than a read."""
_OK: Final = 200
_SERVER_ERROR: Final = 500
_THROTTLED: Final = {
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingException",
    "ThrottledException",
    "TooManyRequestsException",
    "TransactionInProgressException",  # an attempt of ours that we stopped waiting for
}
_REFUSED_CREDENTIALS: Final = {"ExpiredTokenException", "UnrecognizedClientException"}
_CANCELLED: Final = {"TransactionCanceledException", "TransactionConflictException"}


class _Transient(Exception):
    """An attempt failed, and a retry may help."""


class _Refused(_Transient):
    """DynamoDB refused the credentials."""


class SignedDynamoDb:
    """Sends signed requests, with retries. Not thread-safe.

    Args:
        endpoint: DynamoDB's URL.
        region: the region to sign for.
        credentials: finds credentials. They refresh before they expire; when DynamoDB refuses them, they are searched
            for again, once per request.
        pause: sleeps before a retry; gets the number of the attempt.
        answer_seconds: how long an attempt waits for its answer.
    """

    def __init__(
        self,
        endpoint: str,
        region: str,
        credentials: FindCredentials = clients.credentials,
        pause: Callable[[int], None] = jittered,
        answer_seconds: float = ANSWER_SECONDS,
    ) -> None:
        self._connection = KeptConnection(endpoint, answer_seconds)
        self._signer = Signer("dynamodb", region, self._connection.host)
        self._credentials = HeldCredentials(credentials)
        self._pause = pause

    @classmethod
    def like(cls, dynamodb: Any, answer_seconds: float = ANSWER_SECONDS) -> "SignedDynamoDb":
        """A client with the endpoint and region of a boto3 client."""
        return cls(dynamodb.meta.endpoint_url, dynamodb.meta.region_name, answer_seconds=answer_seconds)

    def batch_get_item(self, **request: Any) -> dict[str, Any]:
        """``BatchGetItem``; top-level binary attributes are ``bytes``, as with boto3.

        Raises:
            Unavailable: when DynamoDB refuses the request, or no attempt succeeds.
        """
        answer = self._call("BatchGetItem", request)
        for items in answer.get("Responses", {}).values():
            for item in items:
                _decode(item)
        return answer

    def get_item(self, **request: Any) -> dict[str, Any]:
        """``GetItem``; otherwise like :meth:`batch_get_item`."""
        answer = self._call("GetItem", request)
        _decode(answer.get("Item", {}))
        return answer

    def batch_write_item(self, **request: Any) -> dict[str, Any]:
        """``BatchWriteItem``; raises as :meth:`batch_get_item`."""
        return self._call("BatchWriteItem", request)

    def transact_write_items(self, **request: Any) -> dict[str, Any]:
        """``TransactWriteItems``; applied once, however many attempts it takes.

        Raises:
            ClientError: as boto3, when the transaction was cancelled.
            Unavailable: as :meth:`batch_get_item`.
        """
        return self._call("TransactWriteItems", {"ClientRequestToken": uuid.uuid4().hex, **request})

    def _call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        body, target = _ENCODER.encode(request).encode(), f"DynamoDB_20120810.{operation}"
        renewed, reason = False, ""
        for attempt in range(READ_ATTEMPTS):
            if attempt:
                self._pause(attempt)
            try:
                return self._attempt(target, body)
            except _Refused as refused:
                if renewed:
                    raise Unavailable(f"DynamoDB refused the credentials, also renewed ones: {refused}") from refused
                self._credentials.renew()
                renewed, reason = True, str(refused)
            except _Transient as failed:
                reason = str(failed)
        raise Unavailable(f"DynamoDB did not answer in {READ_ATTEMPTS} attempts: {reason}")

    def _attempt(self, target: str, body: bytes) -> dict[str, Any]:
        headers = self._signer.headers(target, body, self._credentials.frozen(), now())
        try:
            answer = self._connection.post(body, headers)
        except ConnectionErrors as error:
            raise _Transient(f"the connection failed: {error!r}") from error
        _check(answer)
        return _parsed(answer.body)


def _decode(item: Mapping[str, Any]) -> None:
    for attribute in item.values():
        if "B" in attribute:
            attribute["B"] = binascii.a2b_base64(attribute["B"])


def _base64(value: bytes) -> str:
    return binascii.b2a_base64(value, newline=False).decode()


_ENCODER: Final = json.JSONEncoder(separators=(",", ":"), check_circular=False, default=_base64)
"""Bytes become base64, as in DynamoDB's JSON."""


def _check(answer: HttpAnswer) -> None:
    """Raise unless the checksum is right and the status is 200."""
    checksum = answer.headers.get("x-amz-crc32")
    if checksum is not None and checksum != str(zlib.crc32(answer.body)):
        raise _Transient("the answer's checksum is wrong")
    if answer.status == _OK:
        return
    code, message = _error(answer.body)
    text = f"{answer.status} {code}: {message}"
    if code in _REFUSED_CREDENTIALS:
        raise _Refused(text)
    if answer.status >= _SERVER_ERROR or code in _THROTTLED:
        raise _Transient(text)
    if code in _CANCELLED:
        reasons = _parsed(answer.body).get("CancellationReasons", [])
        given: Any = {"Error": {"Code": code, "Message": message}, "CancellationReasons": reasons}
        raise ClientError(given, "TransactWriteItems")
    raise Unavailable(f"DynamoDB refused the request: {text}")


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        document: dict[str, Any] = json.loads(body)
    except ValueError as error:
        raise _Transient("the answer is not JSON") from error
    return document


def _error(body: bytes) -> tuple[str, str]:
    """Code and message of an error body; a body from a proxy may not be JSON."""
    try:
        document = json.loads(body)
        return document["__type"].rpartition("#")[2], document.get("message") or document.get("Message") or ""
    except (ValueError, TypeError, KeyError, AttributeError):
        return "", body[:200].decode(errors="replace")
