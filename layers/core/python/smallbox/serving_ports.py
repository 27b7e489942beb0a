"""Ports that only predictions need: what an operator must see, and token buckets; see :mod:`smallbox.ports`."""

from dataclasses import dataclass
from typing import Protocol

from smallbox.records import Cause
from smallbox.times import Micros


@dataclass(frozen=True, slots=True)
class BucketMove:
    """The result of taking tokens from a bucket.

    Attributes:
        is_moved: whether it had the tokens; if not, nothing changed.
        full_at: when it is full again, microseconds.
    """

    is_moved: bool
    full_at: Micros


class TokenBuckets(Protocol):
    """Token buckets that all processes share, each kept as the moment at which it is full again."""

    def move(
        self, key: str, cost: Micros, now: Micros, latest: Micros, seen: Micros, within: Micros | None = None
    ) -> BucketMove:
        """Take tokens in one atomic step: move the moment later by ``cost``, unless it would come after ``latest``.

        Args:
            key: the bucket; one that is not there is full.
            cost: how long the bucket needs to refill the tokens, microseconds.
            now: the present: a moment in the past counts as the present.
            latest: the latest moment allowed: that at which a bucket that is empty now is full again, or an earlier
                one, which leaves tokens in the bucket.
            seen: the moment as the caller saw it last, 0 if never: a hint that may save a call.
            within: the longest time to wait, microseconds; ``None``: as long as the adapter waits by itself.

        Raises:
            Unavailable: when there is no answer in time.
        """


class FallbackLog(Protocol):
    """Logs problems that an operator must see although the caller got an answer."""

    def degraded(self, model: str, cause: Cause, answers: int, why: Exception | None = None) -> None:
        """Log and count that this many instances of a model were not answered as usual, and the error behind it."""

    def unlimited(self, model: str, answers: int, why: Exception | None = None) -> None:
        """Log and count that this many instances were let through although their rate limit could not be checked."""

    def lost(self, model: str, rows: int) -> None:
        """Log and count that this many rows of the prediction log were given up."""
