"""Requests to an HTTP API, with AWS Signature Version 4."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from smallbox.errors import Unavailable


class SignedHttp:
    """An HTTP client with connection pooling; thread-safe.

    Args:
        base: the URL of the API, without a trailing slash.
        region: the AWS region.
        credentials: botocore's credentials, which renew themselves where they are temporary.
    """

    def __init__(self, base: str, region: str, credentials: Any) -> None:
        self._base = base
        self._region = region
        self._credentials = credentials
        self._reached, self._host = _on_this_machine(base)
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
        SigV4Auth(self._credentials.get_frozen_credentials(), "execute-api", self._region).add_auth(request)
        sent = {**headers, **dict(request.headers), **self._host}
        try:
            return self._pool.request(method, self._reached + path, body=body, headers=sent, decode_content=False)
        except urllib3.exceptions.HTTPError as error:
            raise Unavailable(f"{self._base} did not answer: {error}") from error


def _on_this_machine(base: str) -> tuple[str, dict[str, str]]:
    """The URL to connect to, and the header that it needs: names under ``localhost`` are this machine (RFC 6761).

    Not every resolver knows that.

    >>> _on_this_machine("http://api.localhost:4566/v1")
    ('http://127.0.0.1:4566/v1', {'Host': 'api.localhost:4566'})
    >>> _on_this_machine("https://api.example.org")
    ('https://api.example.org', {})
    """
    parts = urlsplit(base)
    if not (parts.hostname or "").endswith(".localhost"):
        return base, {}
    netloc = "127.0.0.1" if parts.port is None else f"127.0.0.1:{parts.port}"
    return parts._replace(netloc=netloc).geturl(), {"Host": parts.netloc}


def _parsed(data: bytes) -> Any:
    try:
        return json.loads(data) if data else None
    except ValueError:
        return data.decode(errors="replace")
