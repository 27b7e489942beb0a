"""Proves that every table of token buckets moves a bucket in one atomic step, and only as far as it may."""

from typing import Final

import pytest

from smallbox.serving_ports import TokenBuckets
from smallbox.times import DAY

NOW: Final = DAY


def test_a_bucket_that_is_not_there_is_full(token_buckets: TokenBuckets) -> None:
    """It is counted from the present on."""
    moved = token_buckets.move("shop", 10, NOW, NOW + 10, 0)
    assert (moved.is_moved, moved.full_at) == (True, NOW + 10)


@pytest.mark.parametrize("seen", [0, NOW + 10, NOW + 99])
def test_a_bucket_moves_on_from_where_it_is(token_buckets: TokenBuckets, seen: int) -> None:
    """Whatever the caller believed to have seen."""
    token_buckets.move("shop", 10, NOW, NOW + 100, 0)
    moved = token_buckets.move("shop", 5, NOW + 3, NOW + 103, seen)
    assert (moved.is_moved, moved.full_at) == (True, NOW + 15)


@pytest.mark.parametrize("seen", [0, NOW + 10, NOW + 99])
def test_a_bucket_that_has_filled_up_gains_nothing_by_waiting(token_buckets: TokenBuckets, seen: int) -> None:
    """A moment in the past counts as the present."""
    token_buckets.move("shop", 10, NOW, NOW + 100, 0)
    moved = token_buckets.move("shop", 5, NOW + 50, NOW + 150, seen)
    assert (moved.is_moved, moved.full_at) == (True, NOW + 55)


@pytest.mark.parametrize("seen", [0, NOW + 10, NOW + 99])
def test_what_would_go_too_far_changes_nothing(token_buckets: TokenBuckets, seen: int) -> None:
    """The refusal says where the bucket is; what just fits still passes."""
    token_buckets.move("shop", 10, NOW, NOW + 100, 0)
    refused = token_buckets.move("shop", 91, NOW, NOW + 100, seen)
    assert (refused.is_moved, refused.full_at) == (False, NOW + 10)
    assert token_buckets.move("shop", 90, NOW, NOW + 100, seen).full_at == NOW + 100


def test_more_than_a_full_bucket_has_is_refused(token_buckets: TokenBuckets) -> None:
    """Also by a bucket that is not there; then it still is not."""
    assert not token_buckets.move("shop", 11, NOW, NOW + 10, 0).is_moved
    assert token_buckets.move("shop", 10, NOW, NOW + 10, 0).is_moved


def test_buckets_do_not_touch_each_other(token_buckets: TokenBuckets) -> None:
    """Each key is one."""
    token_buckets.move("model#1:role/shop", 10, NOW, NOW + 10, 0)
    assert token_buckets.move("model#1:role/branch", 10, NOW, NOW + 10, 0).is_moved
