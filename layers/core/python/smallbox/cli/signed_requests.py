"""Requests to an HTTP API, with AWS Signature Version 4."""

import json
from collections.abc import Mapping
from typing import Any

import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from smallbox.errors import Unavailable


class SignedHttp:
    """An HTTP client with connection pooling; thread-safe.

    Args:
        base: the URL of the API, without a trailing slash.
        region: the AWS region.
        access_key: the access key id.
        secret_key: the secret access key.
        token: the session token of temporary credentials.
    """

    def __init__(self, base: str, region: str, access_key: str, secret_key: str, token: str | None = None) -> None:
        self._base = base
        self._signer = SigV4Auth(Credentials(access_key, secret_key, token), "execute-api", region)
        self._pool = urllib3.PoolManager(maxsize=16, retries=False, timeout=urllib3.Timeout(connect=5, read=60))

    def request(self, method: str, path: str, content: str | None = None) -> tuple[int, Any]:
        """Send a request with a JSON text or no body; return the status and the parsed answer (``None`` if empty).

        Raises:
            Unavailable: if there is no answer.
        """
        headers = {} if content is None else {"Content-Type": "application/json"}
        answer = self.send(method, path, None if content is None else content.encode(), headers)
        return answer.status, _parsed(answer.data)

    def send(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> urllib3.BaseHTTPResponse:
        """Send any request; return the whole answer, its body as it came.

        Of the headers only the content type is signed, so that nothing on the way breaks the signature.

        Raises:
            Unavailable: if there is no answer.
        """
        typed = {name: value for name, value in headers.items() if name.lower() == "content-type"}
        request = AWSRequest(method=method, url=self._base + path, data=body, headers=typed)
        self._signer.add_auth(request)
        signed = {**headers, **dict(request.headers)}
        try:
            return self._pool.request(method, self._base + path, body=body, headers=signed, decode_content=False)
        except urllib3.exceptions.HTTPError as error:
            raise Unavailable(f"{self._base} did not answer: {error}") from error


def _parsed(data: bytes) -> Any:
    try:
        return json.loads(data) if data else None
    except ValueError:
        return data.decode(errors="replace")
