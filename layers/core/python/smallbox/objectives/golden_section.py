"""The minimum of a function of one number."""

from collections.abc import Callable
from typing import Final

_STEPS: Final = 60
_GOLDEN: Final = (5**0.5 - 1) / 2


def smallest(loss: Callable[[float], float], bounds: tuple[float, float]) -> float:
    """Where a function with one minimum is smallest, by golden-section search.

    >>> round(smallest(lambda x: (x - 1) ** 2, (-3.0, 3.0)), 6)
    1.0
    """
    low, high = bounds
    for _ in range(_STEPS):
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        low, high = (low, right) if loss(left) < loss(right) else (left, high)
    return (low + high) / 2
