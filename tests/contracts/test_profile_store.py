"""Proves that profiles of hours are kept on every blob store: each batch once, however often it comes."""

import numpy as np
import pyarrow as pa
import pytest

from smallbox.ports import Blobs
from smallbox.profiles.building import build_profile, key_hashes, layout_of_values
from smallbox.profiles.layout import ProfileLayout
from smallbox.profiles.profile import Profile
from smallbox.profiles.store import ProfileStore, prediction_subject
from smallbox.times import DAY, HOUR, Micros

SUBJECT = prediction_subject("parcels", 3, "online", "champion")
OTHER_ARM = prediction_subject("parcels", 3, "online", "challenger")
LAYOUT = layout_of_values({"x": np.arange(50.0)})


def _of(*values: float) -> Profile:
    return build_profile(LAYOUT, {"x": np.array(values)}, np.arange(len(values)))


def _rows(store: ProfileStore, start: Micros = 0, end: Micros = 3 * DAY) -> dict[Micros, int]:
    return {hour: one.rows for hour, one in store.between(SUBJECT, start, end).items()}


@pytest.fixture
def store(blobs: Blobs) -> ProfileStore:
    """A store whose subject has its layout."""
    made = ProfileStore(blobs)
    made.layout_or(SUBJECT.name, lambda: LAYOUT)
    return made


def test_the_layout_of_the_first_writer_is_that_of_all(blobs: Blobs) -> None:
    """A second writer that would make another one takes the stored one."""
    first, second = ProfileStore(blobs), ProfileStore(blobs)
    assert first.layout("records/a") is None
    first.layout_or("records/a", lambda: LAYOUT)
    other = ProfileLayout(layout_of_values({"x": np.arange(3.0)}).columns)
    assert second.layout_or("records/a", lambda: other).digest == LAYOUT.digest


def test_the_batches_of_an_hour_add_up_and_a_batch_that_comes_again_counts_once(store: ProfileStore) -> None:
    """By hour, within the asked range, and no other part is read."""
    store.put(SUBJECT, "b1", {0: _of(1, 2), HOUR: _of(3), DAY: _of(4)})
    store.put(SUBJECT, "b2", {HOUR: _of(5, 6, 7)})
    store.put(SUBJECT, "b1", {0: _of(1, 2), HOUR: _of(3), DAY: _of(4)})
    store.put(OTHER_ARM, "b3", {0: _of(9)})
    assert _rows(store) == {0: 2, HOUR: 4, DAY: 1}
    assert _rows(store, HOUR, DAY) == {HOUR: 4}
    assert store.parts(SUBJECT.name) == [OTHER_ARM, SUBJECT]


def test_gathering_changes_no_profile_and_leaves_one_object_a_day(store: ProfileStore, blobs: Blobs) -> None:
    """A batch that comes again after it was gathered is not counted twice, now or at the next gathering."""
    batches = {"b1": {0: _of(1, 2), DAY: _of(4)}, "b2": {0: _of(5)}}
    for name, hours in batches.items():
        store.put(SUBJECT, name, hours)
    before = {hour: one.to_bytes() for hour, one in store.between(SUBJECT, 0, 2 * DAY).items()}
    assert store.gather() == 2
    store.put(SUBJECT, "b1", batches["b1"])
    for _ in range(2):
        assert {hour: one.to_bytes() for hour, one in store.between(SUBJECT, 0, 2 * DAY).items()} == before
        store.gather()
    assert [key for key in blobs.list("profiles/") if "/b" in key] == []
    store.put(SUBJECT, "late", {0: _of(8)})
    store.gather()
    assert _rows(store) == {0: 4, DAY: 1}


@pytest.mark.parametrize("is_gathered", [False, True])
def test_a_forgotten_key_has_no_extreme_row_in_any_object(
    store: ProfileStore, blobs: Blobs, *, is_gathered: bool
) -> None:
    """Its value and its hash are in no stored byte; counts stay, and so do other rows; a batch still counts once."""
    keys, values = pa.array(["a", "b"]), np.array([471.25, 3.5])
    batch = {0: build_profile(LAYOUT, {"x": values}, np.arange(2), key_hashes(keys))}
    store.put(SUBJECT, "b1", batch)
    if is_gathered:
        store.gather()
    assert store.forget(pa.array(["a", "c"])) == 1
    (left,) = store.between(SUBJECT, 0, DAY).values()
    assert [row.value for row in left.column("x").highest] == [3.5]
    assert left.rows == 2
    stored = b"".join(blobs.get(key) for key in blobs.list("profiles/") if not key.endswith("/layout"))
    assert key_hashes(keys)[0].tobytes() not in stored
    assert values[0].tobytes() not in stored
    assert key_hashes(keys)[1].tobytes() in stored
    assert store.forget(pa.array(["a", "c"])) == 0


def test_a_restatement_replaces_its_hours_alone(store: ProfileStore) -> None:
    """Hours of the range that have no rows any more are gone; hours before and after it stay."""
    store.replace(SUBJECT, 0, 2 * DAY, {0: _of(1), HOUR: _of(1, 2), DAY: _of(1, 2, 3)})
    store.replace(SUBJECT, HOUR, DAY, {2 * HOUR: _of(1, 2, 3, 4)})
    assert _rows(store) == {0: 1, 2 * HOUR: 4, DAY: 3}


def test_profiles_of_a_layout_that_was_given_up_are_left_out(store: ProfileStore, blobs: Blobs) -> None:
    """Whoever deletes a layout starts anew: old profiles have other bins and are never added to new ones."""
    store.put(SUBJECT, "b1", {0: _of(1, 2)})
    blobs.delete(f"profiles/{SUBJECT.name}/layout")
    anew = ProfileStore(blobs)
    anew.layout_or(SUBJECT.name, lambda: layout_of_values({"x": np.arange(9.0)}))
    assert _rows(anew) == {}
