"""AWS Signature Version 4 of a JSON request, a tenth of the work of botocore's general one.

The request is always a ``POST`` of ``/`` without a query, with the headers below and no others signed. The signing
key follows from the secret and the day, so it is kept until one of them changes.
"""

import hashlib
import hmac
from typing import Final

from botocore.credentials import ReadOnlyCredentials

from smallbox.times import Micros, to_datetime

CONTENT_TYPE: Final = "application/x-amz-json-1.0"
_ALGORITHM: Final = "AWS4-HMAC-SHA256"


def _hashed(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")


class Signer:
    """Signs for one service in one region, at one host.

    Args:
        service: the name that signatures have for the service, like ``dynamodb``.
        region: the region's name.
        host: the host as the ``Host`` header names it, with its port where that is not the scheme's own.
    """

    def __init__(self, service: str, region: str, host: str) -> None:
        self._service = service
        self._region = region
        self._host = host
        self._kept: tuple[str, str, bytes] = ("", "", b"")

    def headers(self, target: str, body: bytes, credentials: ReadOnlyCredentials, at: Micros) -> dict[str, str]:
        """The headers of a request, its signature among them.

        Args:
            target: the operation, like ``DynamoDB_20120810.BatchGetItem``.
            body: the request's body.
            credentials: of this request; a token among them is signed too.
            at: the present; AWS refuses a signature that is more than some minutes off.
        """
        stamp = to_datetime(at).strftime("%Y%m%dT%H%M%SZ")
        # in the order of their names, which the signature asks for
        signed = {"content-type": CONTENT_TYPE, "host": self._host, "x-amz-date": stamp}
        if credentials.token:
            signed["x-amz-security-token"] = credentials.token
        signed["x-amz-target"] = target
        return {**signed, "authorization": self._authorization(signed, body, credentials, stamp)}

    def _authorization(self, signed: dict[str, str], body: bytes, credentials: ReadOnlyCredentials, stamp: str) -> str:
        day, names = stamp[:8], ";".join(signed)
        lines = "".join(f"{name}:{value}\n" for name, value in signed.items())
        canonical = f"POST\n/\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
        scope = f"{day}/{self._region}/{self._service}/aws4_request"
        text = f"{_ALGORITHM}\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        signature = _hashed(self._key(credentials.secret_key or "", day), text).hex()
        return f"{_ALGORITHM} Credential={credentials.access_key}/{scope}, SignedHeaders={names}, Signature={signature}"

    def _key(self, secret: str, day: str) -> bytes:
        kept_secret, kept_day, key = self._kept
        if (kept_secret, kept_day) != (secret, day):
            key = f"AWS4{secret}".encode()
            for part in (day, self._region, self._service, "aws4_request"):
                key = _hashed(key, part)
            self._kept = (secret, day, key)
        return key
