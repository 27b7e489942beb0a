"""The time that each step of one request took."""

from collections.abc import Callable, Mapping
from typing import Final

from smallbox.times import Micros

_PER_MILLISECOND: Final = 1_000


class Steps:
    """A stopwatch with a name for each lap.

    Args:
        clock: the present; ``None`` measures nothing.
    """

    def __init__(self, clock: Callable[[], Micros] | None = None) -> None:
        self._clock = clock
        self._at = clock() if clock else 0
        self._taken: dict[str, Micros] = {}

    def done(self, step: str) -> None:
        """A step is done: it took the time since the one before. The times of one name add up."""
        if self._clock:
            now = self._clock()
            self._taken[step] = self._taken.get(step, 0) + now - self._at
            self._at = now

    def milliseconds(self) -> Mapping[str, float]:
        """By step what it took, in the order in which the steps were done first."""
        return {step: taken / _PER_MILLISECOND for step, taken in self._taken.items()}


UNMEASURED: Final = Steps()
"""Of a request that nobody asks times of."""
