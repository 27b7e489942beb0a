"""The ``Blobs`` port on an S3 bucket."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, BinaryIO, Final

from smallbox.aws.clients import aws_errors, client, code_of, reason_of
from smallbox.aws.signed.s3 import SignedBucket
from smallbox.errors import Conflict, NotStored, SmallboxError, Unavailable
from smallbox.ports import StoredObject
from smallbox.times import to_micros

_CHUNK: Final = 1_000_000
_ABSENT = {"NoSuchKey", "404", "NotFound"}
_TAKEN = {"PreconditionFailed", "ConditionalRequestConflict"}


@contextmanager
def _translated(bucket: str, key: str) -> Iterator[None]:
    try:
        yield
    except SmallboxError:
        raise
    except aws_errors() as error:
        if code_of(error) in _ABSENT:
            raise NotStored(f"there is no object {key!r} in {bucket}", key=key) from error
        if code_of(error) in _TAKEN:
            raise Conflict(f"another writer stored {key!r} in {bucket} first", key=key) from error
        raise Unavailable(f"S3 did not answer for {key!r}: {reason_of(error)}", key=key) from error


class S3Blobs:
    """The ``Blobs`` port on one bucket.

    Args:
        bucket: the bucket's name.
        s3: a boto3 client; by default the process's own.
        reads: another reader of whole objects, like :mod:`smallbox.aws.signed.s3`; by default ``s3``.
    """

    def __init__(self, bucket: str, s3: Any = None, reads: SignedBucket | None = None) -> None:
        self._bucket = bucket
        self._given = s3
        self._reads = reads

    @property
    def _s3(self) -> Any:
        return self._given or client("s3")

    def get(self, key: str) -> bytes:
        """The object's content."""
        if self._reads is not None:
            return self._reads.get(key)
        with _translated(self._bucket, key):
            content: bytes = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
            return content

    def download(self, key: str, into: BinaryIO) -> StoredObject:
        """Stream an object into a file, in bounded memory.

        One request, so that time and tag belong to the content that was read. boto3's own download sends several.
        """
        with _translated(self._bucket, key):
            found = self._s3.get_object(Bucket=self._bucket, Key=key)
            shutil.copyfileobj(found["Body"], into, _CHUNK)
        into.seek(0)
        return StoredObject(to_micros(found["LastModified"].replace(microsecond=0)), found["ETag"].strip('"'))

    def put(self, key: str, content: bytes) -> None:
        """Write or overwrite an object."""
        with _translated(self._bucket, key):
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=content)

    def put_new(self, key: str, content: bytes) -> None:
        """Write an object that does not exist yet."""
        with _translated(self._bucket, key):
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=content, IfNoneMatch="*")

    def upload(self, key: str, content: BinaryIO) -> None:
        """Write or overwrite an object from a file: in parts when it is large, so in bounded memory."""
        with _translated(self._bucket, key):
            self._s3.upload_fileobj(content, self._bucket, key)

    def delete(self, key: str) -> None:
        """Delete an object; idempotent."""
        with _translated(self._bucket, key):
            self._s3.delete_object(Bucket=self._bucket, Key=key)

    def list(self, prefix: str) -> Sequence[str]:
        """All keys with the prefix, sorted."""
        with _translated(self._bucket, prefix):
            pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
            return sorted(item["Key"] for page in pages for item in page.get("Contents", []))
