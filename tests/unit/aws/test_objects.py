"""Proves that a file that cannot be read is reported, and one that could not be read just now is tried again."""

import hashlib
from typing import Any, BinaryIO

import pytest

from smallbox.aws.objects import each_object
from smallbox.errors import MalformedBody, SmallboxError, Unavailable
from tests.fakes.edges import FakeBlobs

MESSAGE = {"detail": {"object": {"key": "drop/weather/a.csv"}}}


def _consume(error: SmallboxError | None) -> list[str]:
    blobs: Any = FakeBlobs()
    blobs.put("drop/weather/a.csv", b"rows")
    seen: list[str] = []

    def process(key: str, content: BinaryIO, tag: str) -> None:
        assert tag == hashlib.md5(b"rows", usedforsecurity=False).hexdigest()
        seen.append(f"{key}: {content.read().decode()}")
        if error is not None:
            raise error

    each_object(blobs, process, lambda key, found: seen.append(f"{key}: {found.message}"))([MESSAGE])
    return seen


def test_a_file_is_processed_once() -> None:
    """The object's content reaches the work as a file."""
    assert _consume(None) == ["drop/weather/a.csv: rows"]


def test_what_cannot_be_mended_is_reported() -> None:
    """An error of the input goes to the report, and the message is done with."""
    assert _consume(MalformedBody("torn"))[-1] == "drop/weather/a.csv: torn"


def test_what_may_pass_is_tried_again() -> None:
    """An error of a service is raised, so that the queue brings the message back."""
    with pytest.raises(Unavailable):
        _consume(Unavailable("S3 did not answer"))
