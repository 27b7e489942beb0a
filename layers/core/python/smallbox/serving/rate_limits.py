"""Per-consumer rate limits: token buckets that all processes share, and tokens that a process leases from them."""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Final

from smallbox.define.model import Model
from smallbox.define.serve import RateLimit
from smallbox.errors import RateLimited, TooLarge, Unavailable
from smallbox.serving_ports import FallbackLog, TokenBuckets
from smallbox.times import MILLISECOND, SECOND, Micros

LEASE: Final[Micros] = SECOND
"""How long a process may spend tokens that it took in advance; then they are lost."""

BUCKET_WITHIN: Final[Micros] = 250 * MILLISECOND
"""The longest that a request waits for its bucket."""

BUCKET_PAUSE: Final[Micros] = SECOND
"""How long no further request waits for a table that has just failed."""

_KEPT: Final = 1_000
"""How many consumers a process remembers before it first forgets those whose bucket is full again."""


def refill_time(limit: RateLimit, tokens: int) -> Micros:
    """How long it takes until so many tokens are refilled, rounded up to a microsecond.

    >>> refill_time(RateLimit(rate=3, burst=10), 1)
    333334
    """
    return ceil(tokens * SECOND / Fraction(limit.rate))


@dataclass(slots=True)
class _Lease:
    """What a process knows of one bucket.

    Attributes:
        key: the bucket.
        full_at: when the bucket is full again, as it was last seen. It may only have moved later.
        began: when the last tokens were taken.
        left: how many of them are left.
        used: how many were spent since.
    """

    key: str
    full_at: Micros = 0
    began: Micros = 0
    left: int = 0
    used: int = 0

    def held(self, now: Micros) -> int:
        return self.left if self.began <= now < self.began + LEASE else 0

    def spend(self, tokens: int) -> None:
        self.left -= tokens
        self.used += tokens

    def demand(self, now: Micros) -> int:
        """How many tokens to take in advance: half of what a second needs at the present pace, at most those used."""
        elapsed = now - self.began
        if not 0 <= elapsed < 2 * LEASE:
            return 0
        return min(self.used, self.used * LEASE // (2 * max(elapsed, 1)))


class RateLimiter:
    """Counts the instances of each consumer of a model against the model's ``Serve.rate_limit``.

    In any interval of ``t`` seconds a consumer gets at most ``burst + rate * t`` instances where no tokens are leased,
    and ``burst + rate * (t + 1)`` where they are, however many processes answer: tokens that were taken before the
    interval may be spent in it for as long as a lease lasts.

    Tokens are taken in advance only while the bucket is at least half full afterwards. Those that are not spent are
    lost. So a consumer spread over many processes may find its bucket empty after half a burst, but gets its full rate.

    Args:
        buckets: the buckets of all processes.
        failures: told of instances that were let through because the buckets did not answer.
    """

    def __init__(self, buckets: TokenBuckets, failures: FallbackLog) -> None:
        self._buckets = buckets
        self._failures = failures
        self._leases: dict[str, _Lease] = {}
        self._most_kept = _KEPT
        self._paused_until: Micros = 0

    def admit(self, model: Model, consumer: str, count: int, now: Micros) -> None:
        """Take a token for each instance of a request. Without a declared limit nothing happens.

        Where the buckets do not answer, the request is let through and counted.

        Args:
            model: the model.
            consumer: who calls.
            count: how many instances the request has.
            now: the present.

        Raises:
            RateLimited: the consumer has too few tokens now; no token was taken.
            TooLarge: the request has more instances than a full bucket has tokens.
        """
        limit = model.serve.rate_limit
        if limit is None:
            return
        if count > limit.burst:
            message = f"the request has {count} instances; the rate limit of {model.name} lets at most {limit.burst} in"
            raise TooLarge(f"{message} one request", limit=limit.burst, unit="instances")
        lease = self._lease(f"{model.name}#{consumer}", now)
        if lease.held(now) >= count:
            lease.spend(count)
        elif now < self._paused_until:
            self._failures.unlimited(model.name, count)
        else:
            self._take(model, limit, lease, count, now)

    def _take(self, model: Model, limit: RateLimit, lease: _Lease, count: int, now: Micros) -> None:
        """Take what the lease lacks, and more in advance where that leaves the bucket at least half full."""
        within = min(BUCKET_WITHIN, model.serve.budget_micros or BUCKET_WITHIN)
        capacity = refill_time(limit, limit.burst)
        needed = count - lease.held(now)
        extra = min(lease.demand(now), limit.burst - needed)
        try:
            is_taken = extra > 0 and self._moved(
                lease, refill_time(limit, needed + extra), now, now + capacity // 2, within
            )
            if not is_taken:
                extra = 0
                is_taken = self._moved(lease, refill_time(limit, needed), now, now + capacity, within)
        except Unavailable as error:
            self._paused_until = now + BUCKET_PAUSE
            self._failures.unlimited(model.name, count, error)
            return
        if not is_taken:
            # of all tokens: those of the lease will be lost by then
            raise _limited(model, limit, lease.full_at + refill_time(limit, count) - now - capacity)
        lease.began, lease.left, lease.used = now, extra, count

    def _moved(self, lease: _Lease, cost: Micros, now: Micros, latest: Micros, within: Micros) -> bool:
        """Whether the bucket had the tokens. What was seen of it before may say that it has not, without asking it."""
        if max(lease.full_at, now) + cost > latest:
            return False
        moved = self._buckets.move(lease.key, cost, now, latest, lease.full_at, within)
        lease.full_at = max(moved.full_at, lease.full_at)
        return moved.is_moved

    def _lease(self, key: str, now: Micros) -> _Lease:
        if key not in self._leases and len(self._leases) >= self._most_kept:
            self._leases = {k: one for k, one in self._leases.items() if max(one.full_at, one.began + 2 * LEASE) > now}
            self._most_kept = max(_KEPT, 2 * len(self._leases))  # so that not every new consumer looks at all of them
        return self._leases.setdefault(key, _Lease(key))


def _limited(model: Model, limit: RateLimit, wait: Micros) -> RateLimited:
    seconds = max(1, -(-wait // SECOND))
    message = (
        f"more instances of {model.name} than this consumer may ask for: {limit.rate:g} a second, {limit.burst} at "
        f"once; try again in {seconds} s"
    )
    return RateLimited(message, retry_after=seconds, rate=limit.rate, burst=limit.burst)
