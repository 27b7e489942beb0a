"""Proves the laws of profiles: parts add up to the whole, in any order, to equal bytes."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smallbox.errors import InvalidInput
from smallbox.profiles.building import build_profile, by_hour, layout_of_values
from smallbox.profiles.profile import Profile, merged_profiles
from smallbox.times import DAY, HOUR

LAYOUT = layout_of_values(
    {"size": np.arange(200.0), "depot": pa.array(["a"] * 3 + ["b"] * 2 + [f"c{n}" for n in range(60)])}
)

numbers = st.floats(allow_nan=True, allow_infinity=True, width=64) | st.sampled_from([0.0, -0.0, 7.0, 1e-300])
texts = st.sampled_from(["a", "b", "c7", "c59", "new", ""]) | st.none()
rows = st.lists(st.tuples(numbers, texts, st.integers(0, 3 * HOUR), st.integers(0, 5)), max_size=30)


def _columns(found: list[Any]) -> dict[str, Any]:
    """The arguments of :func:`build_profile`."""
    return {
        "values": {
            "size": np.array([one[0] for one in found], np.float64),
            "depot": pa.array([one[1] for one in found], pa.string()),
        },
        "times": np.array([one[2] for one in found], np.int64),
        "keys": np.array([one[3] for one in found], np.uint64),
    }


def _profile(found: list[Any]) -> Profile:
    return build_profile(LAYOUT, **_columns(found))


def _added(*profiles: Profile) -> Profile:
    return merged_profiles(LAYOUT, profiles)


@settings(max_examples=150, deadline=None)
@given(rows, rows)
def test_two_parts_add_up_to_the_profile_of_all_rows(one: list[Any], other: list[Any]) -> None:
    """A merge is the profile of the rows of both, bit for bit, so nothing depends on how rows came in batches."""
    assert _added(_profile(one), _profile(other)).to_bytes() == _profile(one + other).to_bytes()


@settings(max_examples=80, deadline=None)
@given(rows, rows, rows)
def test_adding_up_is_associative_and_commutative_and_no_rows_add_nothing(
    one: list[Any], two: list[Any], three: list[Any]
) -> None:
    """Any order and any grouping give equal bytes; the empty profile is the identity."""
    a, b, c = _profile(one), _profile(two), _profile(three)
    expected = _added(a, b, c).to_bytes()
    assert _added(_added(a, b), c).to_bytes() == expected
    assert _added(a, _added(b, c)).to_bytes() == expected
    assert _added(c, a, b).to_bytes() == expected
    assert _added(Profile.empty(LAYOUT), a).to_bytes() == a.to_bytes()
    assert _added(a).to_bytes() == a.to_bytes()


@settings(max_examples=80, deadline=None)
@given(rows)
def test_a_profile_comes_back_from_its_bytes(found: list[Any]) -> None:
    """The bytes of a decoded profile are those that it was decoded from."""
    content = _profile(found).to_bytes()
    assert Profile.from_bytes(LAYOUT, content).to_bytes() == content


@settings(max_examples=80, deadline=None)
@given(rows)
def test_the_hours_of_rows_add_up_to_their_whole(found: list[Any]) -> None:
    """Each row is in the profile of its own hour, and in no other."""
    hours = by_hour(LAYOUT, **_columns(found))
    assert _added(*hours.values()).to_bytes() == _profile(found).to_bytes()
    counted = {hour: one.rows for hour, one in hours.items()}
    begins = [one[2] // HOUR * HOUR for one in found]
    assert counted == {hour: begins.count(hour) for hour in set(begins)}


@settings(max_examples=40, deadline=None)
@given(rows, st.integers(0, 4 * DAY))
def test_old_rows_are_profiled_by_day_and_add_up_all_the_same(found: list[Any], since: int) -> None:
    """Rows of whole days before a moment are under their day's begin, all others under their hour's."""
    spread = [(size, text, time * 24, key) for size, text, time, key in found]
    hours = by_hour(LAYOUT, **_columns(spread), since=since)
    assert _added(*hours.values()).to_bytes() == _profile(spread).to_bytes()
    begins = [at // HOUR * HOUR if at >= since // DAY * DAY else at // DAY * DAY for _, _, at, _ in spread]
    assert {hour: one.rows for hour, one in hours.items()} == {hour: begins.count(hour) for hour in set(begins)}


@settings(max_examples=100, deadline=None)
@given(rows)
def test_every_row_has_one_count_in_each_column(found: list[Any]) -> None:
    """Bins, tails, categories, rest, unseen and missing make up the rows."""
    profile = _profile(found)
    for name in ("size", "depot"):
        column = profile.column(name)
        assert int(column.counts.sum()) + column.below + column.above + column.rest + column.unseen == column.known


def test_profiles_of_other_layouts_are_refused() -> None:
    """Counts in other bins are never added, nor decoded."""
    other = Profile.empty(layout_of_values({"size": np.arange(9.0), "depot": pa.array(["a"])}))
    with pytest.raises(InvalidInput, match="layouts"):
        _added(other)
    with pytest.raises(InvalidInput, match="layout"):
        Profile.from_bytes(LAYOUT, other.to_bytes())
