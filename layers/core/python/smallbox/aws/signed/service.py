"""A client of one AWS service with a fifth of boto3's CPU time: signed requests on one keep-alive connection."""

import json
import os
import zlib
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any, ClassVar, Final, TypeVar

from smallbox.aws.backoff import jittered
from smallbox.aws.clock import now
from smallbox.aws.signed.answers import HttpAnswer
from smallbox.aws.signed.connection import ANSWER_SECONDS, KeptConnection
from smallbox.aws.signed.credentials import FindCredentials, HeldCredentials, found_credentials
from smallbox.aws.signed.signature import Signer
from smallbox.errors import NotStored, Unavailable
from smallbox.records import COMPACT_JSON
from smallbox.times import SECOND, Micros

_Answer = TypeVar("_Answer")

ATTEMPTS: Final = 4
CONTENT_TYPE: Final = "application/x-amz-json-1.0"
_OK: Final = 200
_NOT_FOUND: Final = 404
_SERVER_ERROR: Final = 500
_THROTTLED: Final = {
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "ThrottlingException",
    "ThrottledException",
    "TooManyRequestsException",
}
_CONDITION_FAILED: Final = "ConditionalCheckFailedException"
_CANCELED: Final = {"TransactionCanceledException", "TransactionConflictException"}
_REFUSED_CREDENTIALS: Final = {"ExpiredToken", "ExpiredTokenException", "UnrecognizedClientException"}


class TransactionCanceled(Exception):
    """DynamoDB canceled a transaction.

    Attributes:
        reasons: the error code of each item; ``None`` as text for an item without an error.
    """

    def __init__(self, reasons: tuple[str, ...]) -> None:
        super().__init__("DynamoDB canceled the transaction: " + ", ".join(dict.fromkeys(reasons)))
        self.reasons = reasons


class _Transient(Exception):
    """An attempt failed, and a retry may help."""


class ConditionFailed(Exception):
    """The condition of a write to DynamoDB did not hold.

    Args:
        item: the item as it is, where the request asked for it.
    """

    def __init__(self, item: Mapping[str, Any]) -> None:
        super().__init__("the condition of the write did not hold")
        self.item = item


class _Refused(_Transient):
    """AWS refused the credentials."""


class SignedService:
    """Sends signed requests to one service, with retries. Not thread-safe.

    Attributes:
        SERVICE: the service's signing name, like ``dynamodb``; set by the client of each service.

    Args:
        endpoint: its URL; by default that of the environment's region, see :func:`endpoint_of`.
        region: the region to sign for; by default the environment's.
        credentials: finds credentials. They refresh before they expire; when AWS refuses them, they are searched for
            again, once per request.
        pause: sleeps before a retry; gets the number of the attempt.
    """

    SERVICE: ClassVar[str]

    def __init__(
        self,
        endpoint: str | None = None,
        region: str | None = None,
        credentials: FindCredentials = found_credentials,
        pause: Callable[[int], None] = jittered,
    ) -> None:
        self._connection = KeptConnection(endpoint or endpoint_of(self.SERVICE))
        self._signer = Signer(self.SERVICE, region or region_of(), self._connection.host)
        self._credentials = HeldCredentials(credentials)
        self._pause = pause

    def json(self, target: str, request: Mapping[str, Any], within: Micros | None = None) -> dict[str, Any]:
        """The answer to a request of the JSON protocol.

        Args:
            target: the operation, like ``DynamoDB_20120810.BatchGetItem``.
            request: its parameters.
            within: the time for all attempts together, microseconds; ``None`` gives each attempt its own time.

        Raises:
            ConditionFailed: when a condition of the request does not hold.
            Unavailable: when the service refuses the request, or no attempt succeeds in time.
        """
        body = COMPACT_JSON.encode(request).encode()
        headers = {"content-type": CONTENT_TYPE, "x-amz-target": target}
        return self._repeated(lambda left: _parsed(self._attempt(("POST", "/"), headers, body, left)), within)

    def content(self, path: str, within: Micros | None = None) -> bytes:
        """The body of what a ``GET`` of a path answers; the path is encoded as it is sent.

        Raises:
            NotStored: when nothing is there.
            Unavailable: as :meth:`json`.
        """
        headers = {"x-amz-content-sha256": sha256(b"").hexdigest()}
        return self._repeated(lambda left: self._attempt(("GET", path), headers, b"", left).body, within)

    def _repeated(self, attempt: Callable[[float], _Answer], within: Micros | None) -> _Answer:
        ends = None if within is None else now() + within
        renewed, reason = False, ""
        for number in range(ATTEMPTS):
            if number:
                self._pause(number)
            left = ANSWER_SECONDS if ends is None else min((ends - now()) / SECOND, ANSWER_SECONDS)
            if left <= 0:
                raise Unavailable(
                    f"{self.SERVICE} did not answer within the time budget: {reason or 'no time was left'}"
                )
            try:
                return attempt(left)
            except _Refused as refused:
                if renewed:
                    raise Unavailable(f"{self.SERVICE} refused the credentials, also renewed ones: {refused}") from None
                self._credentials.renew()
                renewed, reason = True, str(refused)
            except _Transient as failed:
                reason = str(failed)
        raise Unavailable(f"{self.SERVICE} did not answer in {ATTEMPTS} attempts: {reason}")

    def _attempt(self, request: tuple[str, str], extra: Mapping[str, str], body: bytes, seconds: float) -> HttpAnswer:
        headers = self._signer.headers(request, extra, sha256(body).hexdigest(), self._credentials.frozen(), now())
        try:
            answer = self._connection.send(*request, body, headers, seconds)
        except OSError as error:
            raise _Transient(f"the connection failed: {error!r}") from error
        self._check(answer)
        return answer

    def _check(self, answer: HttpAnswer) -> None:
        """Raise unless the checksum is right and the status is 200."""
        checksum = answer.headers.get("x-amz-crc32")
        if checksum is not None and checksum != str(zlib.crc32(answer.body)):
            raise _Transient("the answer's checksum is wrong")
        if answer.status == _OK:
            return
        code, message, reasons = _error(answer.body)
        if code == _CONDITION_FAILED:
            raise ConditionFailed(json.loads(answer.body).get("Item") or {})
        if code in _CANCELED:
            raise TransactionCanceled(reasons)
        text = f"{answer.status} {code}: {message}"
        if code in _REFUSED_CREDENTIALS:
            raise _Refused(text)
        if answer.status >= _SERVER_ERROR or code in _THROTTLED:
            raise _Transient(text)
        if answer.status == _NOT_FOUND:
            raise NotStored(f"{self.SERVICE} has no such object: {text}")
        raise Unavailable(f"{self.SERVICE} refused the request: {text}")


def region_of() -> str:
    """The region of the environment, as Lambda sets it.

    Raises:
        Unavailable: when there is none.
    """
    found = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if not found:
        raise Unavailable("no region is set; set AWS_REGION")
    return found


def endpoint_of(service: str) -> str:
    """The URL of a service in the region of the environment, or the one that the environment sets for it.

    The endpoints of other partitions than ``aws``, and FIPS and dual-stack ones, are looked up by botocore.
    """
    named = os.environ.get(f"AWS_ENDPOINT_URL_{service.upper()}") or os.environ.get("AWS_ENDPOINT_URL")
    if named:
        return named
    region, unusual = region_of(), ("AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT")
    if region.startswith(("cn-", "us-gov-", "us-iso", "eu-isoe-", "eusc-")) or any(map(os.environ.get, unusual)):
        from smallbox.aws.clients import client  # noqa: PLC0415 - imports boto3

        return str(client(service).meta.endpoint_url)
    return f"https://{service}.{region}.amazonaws.com"


def _parsed(answer: HttpAnswer) -> dict[str, Any]:
    try:
        document: dict[str, Any] = json.loads(answer.body)
    except ValueError as error:
        raise _Transient("the answer is not JSON") from error
    return document


def _error(body: bytes) -> tuple[str, str, tuple[str, ...]]:
    """Code, message and reasons of an error body, which is JSON, or S3's XML; a body from a proxy may be neither."""
    try:
        document = json.loads(body)
        reasons = tuple(one.get("Code", "None") for one in document.get("CancellationReasons", ()))
        return document["__type"].rpartition("#")[2], document.get("message") or document.get("Message") or "", reasons
    except (ValueError, TypeError, KeyError, AttributeError):
        text = body[:200].decode(errors="replace")
        return text.partition("<Code>")[2].partition("</Code>")[0], text, ()
