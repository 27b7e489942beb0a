"""Proves that every blob store keeps bytes, lists by prefix in order, and says what is not there."""

import io

import pytest

from smallbox.errors import Conflict, NotFound
from smallbox.ports import Blobs
from smallbox.times import SECOND


def test_a_blob_comes_back_and_can_be_overwritten(blobs: Blobs) -> None:
    """The last bytes put under a key are the bytes got."""
    blobs.put("a/b", b"one")
    blobs.put("a/b", b"\x00two")
    assert blobs.get("a/b") == b"\x00two"


def test_a_list_is_ordered_and_stays_within_its_prefix(blobs: Blobs) -> None:
    """A listing holds exactly the keys with the prefix, in order."""
    for key in ("b/1", "a/2", "a/1"):
        blobs.put(key, b"")
    assert list(blobs.list("a/")) == ["a/1", "a/2"]
    assert list(blobs.list("c/")) == []


def test_an_absent_blob_is_named(blobs: Blobs) -> None:
    """Getting what is not there is NotFound and names the key."""
    with pytest.raises(NotFound, match="nowhere"):
        blobs.get("nowhere")


def test_a_deleted_blob_is_gone(blobs: Blobs) -> None:
    """A deleted blob is not found and not listed; deleting it again is no error."""
    blobs.put("a", b"1")
    for _ in range(2):
        blobs.delete("a")
    assert list(blobs.list("a")) == []
    with pytest.raises(NotFound):
        blobs.get("a")


def test_a_download_says_when_its_bytes_were_stored_and_which_they_are(blobs: Blobs) -> None:
    """The moment is a whole second, the same for every download; the tag is another for other bytes."""
    found = []
    for content in (b"one", b"one", b"two"):
        blobs.put("a", content)
        file = io.BytesIO()
        found.append(blobs.download("a", file))
        assert file.read() == content
        assert blobs.download("a", io.BytesIO()) == found[-1]
    assert {stored.at % SECOND for stored in found} == {0}
    assert found[0].tag == found[1].tag != found[2].tag
    with pytest.raises(NotFound, match="nowhere"):
        blobs.download("nowhere", io.BytesIO())


def test_an_upload_is_what_is_left_of_a_file(blobs: Blobs) -> None:
    """The bytes from the file's position on, under the key."""
    file = io.BytesIO(b"head and rest")
    file.seek(9)
    blobs.upload("a", file)
    assert blobs.get("a") == b"rest"


def test_the_first_of_two_writers_of_a_new_blob_wins(blobs: Blobs) -> None:
    """A conditional write of a key that is taken is a Conflict, and leaves what is there."""
    blobs.put_new("a", b"first")
    with pytest.raises(Conflict):
        blobs.put_new("a", b"second")
    assert blobs.get("a") == b"first"
