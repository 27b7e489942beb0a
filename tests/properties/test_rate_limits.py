"""Proves the bounds of rate limits: what a consumer gets at most, and what it gets at least, from several processes."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallbox.define import RateLimit, Serve
from smallbox.errors import RateLimited
from smallbox.serving.rate_limits import LEASE, RateLimiter, refill_time
from smallbox.times import DAY, SECOND, Micros
from tests.fakes.buckets import FakeTokenBuckets
from tests.fakes.edges import FakeFallbackLog
from tests.fakes.small import late_parcel

LIMITS = st.builds(
    RateLimit,
    rate=st.one_of(st.floats(0.01, 5_000), st.sampled_from([1 / 3, 3, 7, 1_000])),
    burst=st.integers(1, 600),
)
STEPS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3 * SECOND), st.integers(1, 600)), min_size=1, max_size=60)

Granted = list[tuple[Micros, int]]


def _limiters(count: int) -> list[RateLimiter]:
    buckets = FakeTokenBuckets()
    return [RateLimiter(buckets, FakeFallbackLog()) for _ in range(count)]


def _granted(limit: RateLimit, steps: Sequence[tuple[int, Micros, int]]) -> Granted:
    """When how many instances were let through, of requests at intervals, each to one of four processes."""
    model, limiters, found = replace(late_parcel, serve=Serve(rate_limit=limit)), _limiters(4), []
    moments = accumulate((pause for _, pause, _ in steps), initial=DAY)
    for (process, _, count), now in zip(steps, moments, strict=False):
        asked = min(count, limit.burst)
        try:
            limiters[process].admit(model, "shop", asked, now)
        except RateLimited:
            continue
        found.append((now, asked))
    return found


def _most(granted: Granted, limit: RateLimit) -> Fraction:
    """By how much the tokens of the worst interval exceed the burst and the rate."""
    rate = Fraction(limit.rate) / SECOND
    return max(
        sum(n for _, n in granted[first : last + 1]) - limit.burst - rate * (granted[last][0] - granted[first][0])
        for first in range(len(granted))
        for last in range(first, len(granted))
    )


@given(LIMITS, STEPS)
def test_no_interval_has_more_than_burst_and_rate(limit: RateLimit, steps: list[tuple[int, Micros, int]]) -> None:
    """Of whatever processes: the rate over the interval and the life of a lease, up to a microsecond of rounding."""
    granted = _granted(limit, steps)
    assert granted, "the first request finds a full bucket"
    assert _most(granted, limit) <= Fraction(limit.rate) / SECOND * (LEASE + 1)


@given(LIMITS, STEPS)
def test_without_leases_the_bound_is_exact(limit: RateLimit, steps: list[tuple[int, Micros, int]]) -> None:
    """The bucket itself lets no more than burst and rate through, up to a microsecond of rounding."""
    buckets, capacity, granted = FakeTokenBuckets(), refill_time(limit, limit.burst), []
    moments = accumulate((pause for _, pause, _ in steps), initial=DAY)
    for (_, _, count), now in zip(steps, moments, strict=False):
        asked = min(count, limit.burst)
        if buckets.move("shop", refill_time(limit, asked), now, now + capacity, 0).is_moved:
            granted.append((now, asked))
    assert _most(granted, limit) <= Fraction(limit.rate) / SECOND


@given(LIMITS.filter(lambda limit: limit.burst > 1), st.lists(st.integers(0, 3), min_size=1, max_size=200))
def test_a_consumer_at_its_rate_is_never_refused(limit: RateLimit, processes: list[int]) -> None:
    """However its requests are spread over processes: tokens that leases lose are not those of its rate."""
    model, limiters, between = replace(late_parcel, serve=Serve(rate_limit=limit)), _limiters(4), refill_time(limit, 1)
    for step, process in enumerate(processes):
        limiters[process].admit(model, "shop", 1, DAY + step * between)


@given(LIMITS, STEPS)
def test_after_the_wait_that_it_names_a_request_passes(limit: RateLimit, steps: list[tuple[int, Micros, int]]) -> None:
    """``Retry-After`` is long enough where no other process takes tokens: it does not know what they take."""
    model, (limiter,), now = replace(late_parcel, serve=Serve(rate_limit=limit)), _limiters(1), DAY
    for _, pause, count in steps:
        now, asked = now + pause, min(count, limit.burst)
        try:
            limiter.admit(model, "shop", asked, now)
        except RateLimited as error:
            now += error.details["retry_after"] * SECOND
            limiter.admit(model, "shop", asked, now)


def test_the_bounds_can_be_broken() -> None:
    """Two requests of a whole burst within a second, as a table of no memory would allow, break them."""
    limit = RateLimit(rate=1, burst=10)
    assert _most([(DAY, 10), (DAY + 1, 10)], limit) > 9
    with pytest.raises(AssertionError):
        assert _most([(DAY, 10), (DAY + 1, 10)], limit) <= Fraction(limit.rate) / SECOND * (LEASE + 1)
