"""Exact sums of values and of their squares, as whole numbers: the same bits in whatever order they are added.

A value is rounded once, to a whole number of steps of the layout's grid, and its sums are whole numbers from then on.
A row of moments has nine ``int64``: the sum in two limbs of 30 bits, the sum of squares in seven limbs of 20 bits.
"""

from typing import Final

import numpy as np

from smallbox.arrays import Floats, Ints

LIMBS: Final = 9
_SUM: Final = slice(0, 2)
_SQUARES: Final = slice(2, LIMBS)
_LIMIT: Final = 2.0**60
_FEWEST: Final = 2
"""Values that have a variance."""

_CHUNK: Final = 1 << 20
"""Rows whose products are added before they are carried: 2**20 products of 43 bits fit into 63."""


def moments_of(values: Floats, grid: float) -> Ints:
    """The moments of values without NaN, shape ``(9,)``; values beyond ``grid * 2**60`` count as that.

    They are not :func:`carried` yet, which is done for many columns at once.
    """
    total = np.zeros(LIMBS, np.int64)
    for at in range(0, len(values), _CHUNK):
        total = carried(total) if at else total
        total += _sums(
            np.rint(np.clip(values[at : at + _CHUNK], -_LIMIT * grid, _LIMIT * grid) / grid).astype(np.int64)
        )
    return total


def _sums(steps: Ints) -> Ints:
    size = np.abs(steps)
    low, middle, high = size & 0xFFFFF, (size >> 20) & 0xFFFFF, size >> 40
    squares = (
        np.dot(low, low),
        2 * np.dot(low, middle),
        2 * np.dot(low, high) + np.dot(middle, middle),
        2 * np.dot(middle, high),
        np.dot(high, high),
        0,
        0,
    )
    return np.array([(steps & 0x3FFFFFFF).sum(), (steps >> 30).sum(), *squares], np.int64)


def carried(moments: Ints) -> Ints:
    """The one form of these sums: every limb but the highest within its bits. Shape ``(..., 9)``."""
    found = moments.copy()
    for part, bits in ((_SUM, 30), (_SQUARES, 20)):
        limbs = found[..., part]
        for at in range(limbs.shape[-1] - 1):
            limbs[..., at + 1] += limbs[..., at] >> bits
            limbs[..., at] &= (1 << bits) - 1
    return found


def mean_of(moments: Ints, count: int, grid: float) -> float:
    """The mean of ``count`` values; NaN without values."""
    return _whole(moments[_SUM], 30) / count * grid if count else float("nan")


def variance_of(moments: Ints, count: int, grid: float) -> float:
    """The sample variance of ``count`` values; NaN for fewer than two."""
    if count < _FEWEST:
        return float("nan")
    total, squares = _whole(moments[_SUM], 30), _whole(moments[_SQUARES], 20)
    return (count * squares - total * total) / (count * (count - 1)) * grid * grid


def _whole(limbs: Ints, bits: int) -> int:
    return sum(int(limb) << (bits * at) for at, limb in enumerate(limbs))
