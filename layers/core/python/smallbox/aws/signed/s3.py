"""The one read of a prediction from S3: a whole object."""

import os
from collections.abc import Callable
from urllib.parse import quote, urlsplit

from smallbox.aws.backoff import jittered
from smallbox.aws.signed.credentials import FindCredentials, found_credentials
from smallbox.aws.signed.service import SignedService, endpoint_of
from smallbox.errors import NotStored


class SignedBucket:
    """Reads objects of one bucket, with retries. Not thread-safe.

    Args:
        bucket: its name. On AWS it is part of the host; at an endpoint that the environment names, and where the name
            has a dot, of the path.
        credentials: see :class:`SignedService`.
        pause: see :class:`SignedService`.
    """

    def __init__(
        self,
        bucket: str,
        credentials: FindCredentials = found_credentials,
        pause: Callable[[int], None] = jittered,
    ) -> None:
        endpoint, in_path = endpoint_of("s3"), is_in_path(bucket)
        self._before = f"/{bucket}/" if in_path else "/"
        parts = urlsplit(endpoint)
        own = endpoint if in_path else parts._replace(netloc=f"{bucket}.{parts.netloc}").geturl()
        self._service = SignedService("s3", own, credentials=credentials, pause=pause)

    def get(self, key: str) -> bytes:
        """The content of an object.

        Raises:
            NotStored: when there is none.
            Unavailable: when S3 refuses the request, or no attempt succeeds.
        """
        try:
            return self._service.content(path_of(self._before + key))
        except NotStored as error:
            raise NotStored(f"there is no object {key!r}", key=key) from error


def is_in_path(bucket: str) -> bool:
    """Whether the bucket's name is part of the path, not of the host."""
    return bool(os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")) or "." in bucket


def path_of(name: str) -> str:
    """The path of an object, encoded as S3 signs it.

    >>> path_of("/models/a b.onnx")
    '/models/a%20b.onnx'
    """
    return quote(name, safe="/-._~")
