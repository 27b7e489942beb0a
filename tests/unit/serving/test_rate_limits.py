"""Proves what a rate limit asks of its table, what it says, and that a table that is down stops nobody."""

from dataclasses import replace
from typing import Final

import pytest

from smallbox.define import RateLimit, Serve
from smallbox.define.model import Model
from smallbox.errors import DefinitionError, RateLimited, TooLarge
from smallbox.serving.rate_limits import BUCKET_PAUSE, RateLimiter
from smallbox.times import DAY, SECOND
from tests.fakes.buckets import FakeTokenBuckets
from tests.fakes.edges import FakeFallbackLog
from tests.fakes.small import late_parcel

LIMITED: Final = replace(late_parcel, serve=Serve(rate_limit=RateLimit(rate=100, burst=200)))


class _World:
    """One process, its table and its log."""

    def __init__(self) -> None:
        self.buckets, self.log = FakeTokenBuckets(), FakeFallbackLog()
        self.limiter = RateLimiter(self.buckets, self.log)

    def admit(self, count: int = 1, *, at: float = 0, who: str = "shop", model: Model = LIMITED) -> None:
        self.limiter.admit(model, who, count, DAY + round(at * SECOND))


def test_without_a_limit_the_table_is_never_asked() -> None:
    """Nothing is declared by default, and nothing is called."""
    world = _World()
    world.admit(500, model=late_parcel)
    assert world.buckets.calls == 0


def test_beyond_the_burst_a_request_waits() -> None:
    """The error says how long, what is allowed, and takes nothing; after that time the request passes."""
    world = _World()
    world.admit(200)
    with pytest.raises(RateLimited, match="100 a second, 200 at once; try again in 2 s") as caught:
        world.admit(150)
    assert caught.value.details == {"retry_after": 2, "rate": 100, "burst": 200}
    world.admit(150, at=2)


def test_consumers_and_models_have_buckets_of_their_own() -> None:
    """One that is over its limit costs another nothing."""
    world = _World()
    world.admit(200)
    world.admit(200, who="branch")
    world.admit(200, model=replace(LIMITED, name="other"))
    assert len(world.buckets.full_at) == 3


def test_a_refusal_that_is_certain_asks_nothing() -> None:
    """Who keeps on asking beyond its limit costs no writes: a bucket that was seen empty is not yet full."""
    world = _World()
    world.admit(200)
    for _ in range(50):
        with pytest.raises(RateLimited):
            world.admit()
    assert world.buckets.calls == 1


def test_a_busy_consumer_asks_seldom() -> None:
    """A thousand requests of ten seconds, at the rate, ask the table a fraction as often; slow ones ask each time."""
    busy, slow = _World(), _World()
    for n in range(500):
        busy.admit(at=n / 50)
    for n in range(10):
        slow.admit(at=n * 3)
    assert busy.buckets.calls < 50
    assert slow.buckets.calls == 10


def test_a_request_larger_than_a_burst_is_too_large() -> None:
    """It would never pass, so it is not told to wait."""
    with pytest.raises(TooLarge, match="201 instances; the rate limit of late_parcel lets at most 200") as caught:
        _World().admit(201)
    assert caught.value.details == {"limit": 200, "unit": "instances"}


def test_a_table_that_is_down_lets_requests_through_and_counts_them() -> None:
    """The first waits for it; for a second no other does."""
    world = _World()
    world.buckets.is_down = True
    world.admit(200)
    world.admit(200, at=0.5)
    assert world.buckets.calls == 1
    assert world.log.unlimited_answers == [("late_parcel", 200), ("late_parcel", 200)]
    world.buckets.is_down = False
    world.admit(200, at=BUCKET_PAUSE / SECOND)
    with pytest.raises(RateLimited):
        world.admit(200, at=BUCKET_PAUSE / SECOND)


def test_consumers_that_are_gone_are_forgotten() -> None:
    """A process that sees ever new ones keeps a thousand; the table still knows who is beyond its limit."""
    world = _World()
    for n in range(3_000):
        world.admit(who=f"shop {n}", at=n)
    assert len(world.limiter._leases) <= 1_000
    world.admit(200, at=3_000, who="shop 0")
    world.limiter._leases.clear()
    with pytest.raises(RateLimited):
        world.admit(200, at=3_001, who="shop 0")


@pytest.mark.parametrize(("rate", "burst"), [(0, 1), (-1, 1), (float("inf"), 1), (1, 0)])
def test_a_limit_that_lets_nothing_or_everything_through_is_refused(rate: float, burst: int) -> None:
    """The sentence says what to write."""
    with pytest.raises(DefinitionError, match="leave rate_limit out"):
        RateLimit(rate=rate, burst=burst)
