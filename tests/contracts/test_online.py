"""Proves that every online store reads what was committed, commits all or nothing, and refuses stale writers."""

import pytest

from smallbox.errors import Conflict, Unavailable
from smallbox.ports import Marker, OnlineStore, StateKey, StateWrite

A, B = StateKey("carrier", "UA"), StateKey("route", "JFK|LAX")


def _marker(identity: str) -> Marker:
    return Marker(identity, "digest", 10**12)


def test_what_was_committed_is_read_in_one_call(online: OnlineStore) -> None:
    """States and markers committed together are read back; absent ones are left out."""
    online.commit([_marker("r1")], [StateWrite(A, b"\x01", 0), StateWrite(B, b"\x02", 0)])
    found = online.read([A, B, StateKey("carrier", "none")])
    assert {key: (state.packed, state.version) for key, state in found.items()} == {A: (b"\x01", 1), B: (b"\x02", 1)}
    assert online.markers(["r1", "r2"]) == {"r1": "digest"}


def test_a_stale_state_writes_nothing_at_all(online: OnlineStore) -> None:
    """When one state of a commit is stale, neither the other state nor the marker is written."""
    online.commit([], [StateWrite(A, b"1", 0)])
    with pytest.raises(Conflict):
        online.commit([_marker("r1")], [StateWrite(B, b"2", 0), StateWrite(A, b"2", 0)])
    assert online.markers(["r1"]) == {}
    assert {key: state.packed for key, state in online.read([A, B]).items()} == {A: b"1"}


def test_a_record_is_applied_once(online: OnlineStore) -> None:
    """A marker that is there already refuses the whole commit."""
    online.commit([_marker("r1")], [StateWrite(A, b"1", 0)])
    with pytest.raises(Conflict):
        online.commit([_marker("r1")], [StateWrite(A, b"2", 1)])
    assert online.read([A])[A].packed == b"1"


def test_markers_can_be_laid_over_each_other(online: OnlineStore) -> None:
    """Mark writes any number of markers, there or not."""
    online.commit([_marker("r0")], [])
    online.mark([_marker(f"r{n}") for n in range(60)])
    assert len(online.markers([f"r{n}" for n in range(120)])) == 60


def test_an_entity_of_any_name_has_a_state(online: OnlineStore) -> None:
    """Names longer than a partition key may be, and alike for most of it, are different entities."""
    one, other = (StateKey("route", "\N{AIRPLANE}" * 600 + end) for end in "ab")
    online.commit([], [StateWrite(one, b"1", 0), StateWrite(other, b"2", 0)])
    assert {key: state.packed for key, state in online.read([one, other]).items()} == {one: b"1", other: b"2"}


def test_what_the_store_cannot_hold_is_no_conflict(online: OnlineStore) -> None:
    """A state that is too large is refused at once; trying again as after a conflict would never end."""
    with pytest.raises(Unavailable):
        online.commit([_marker("r1")], [StateWrite(A, bytes(410_000), 0)])
    assert online.markers(["r1"]) == {}


def test_more_than_a_batch_is_read(online: OnlineStore) -> None:
    """Reading more than a hundred keys finds them all."""
    keys = [StateKey("carrier", str(n)) for n in range(150)]
    for key in keys:
        online.commit([], [StateWrite(key, b"x", 0)])
    assert len(online.read(keys)) == 150
