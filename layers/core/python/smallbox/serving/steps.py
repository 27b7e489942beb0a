"""The time that each step of one request took."""

from collections.abc import Callable, Mapping
from typing import Final

Ticks = Callable[[], int]
"""A clock that only goes forward, in nanoseconds."""

_PER_MILLISECOND: Final = 1_000_000
_DIGITS: Final = 3


class Steps:
    """A stopwatch with a name for each lap.

    Args:
        ticks: the clock; ``None`` measures nothing.
    """

    def __init__(self, ticks: Ticks | None = None) -> None:
        self._ticks = ticks
        self._at = ticks() if ticks else 0
        self._taken: dict[str, int] = {}

    def done(self, step: str) -> None:
        """A step is done: it took the time since the one before. The times of one name add up."""
        if self._ticks:
            now = self._ticks()
            self._taken[step] = self._taken.get(step, 0) + now - self._at
            self._at = now

    def milliseconds(self) -> Mapping[str, float]:
        """By step what it took, in the order in which the steps were done first."""
        return {step: round(taken / _PER_MILLISECOND, _DIGITS) for step, taken in self._taken.items()}


UNMEASURED: Final = Steps()
"""Of a request that nobody asks times of."""
