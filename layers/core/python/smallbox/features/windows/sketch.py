"""Sketches of how many different values there are: HyperLogLog, sparse, one per cell.

Of a value's 64 even bits the first 9 choose one of 512 registers, and the zeros in front of the next 53 give a rank; a
register keeps the greatest rank (Flajolet, Fusy, Gandouet and Meunier, AofA 2007). Two sketches combine by the greater
rank, so order, repetition and grouping change nothing. The estimate is Ertl's (New cardinality estimation algorithms
for HyperLogLog sketches, arXiv:1702.01284, 2017), which needs no table of corrections; its relative standard error is
``1.04 / sqrt(512)``, 4.6 %. It uses sums of powers of two and squares alone, so equal sketches give equal bits.

A cell holds one code of 16 bits for each register that is not empty, ``register * 64 + rank``, in ascending order.
"""

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from smallbox.arrays import Floats, Ints

REGISTER_BITS: Final = 9
REGISTERS: Final = 1 << REGISTER_BITS
RANK_BITS: Final = 6
TOP_RANK: Final = 43
"""Above it, ranks count as this one: sums of powers of two stay exact, up to some 10**15 different values."""

_CODE_BITS: Final = REGISTER_BITS + RANK_BITS
_REST_BITS: Final = 53
_ROUNDS: Final = 20
_ALPHA: Final = 1 / (2 * math.log(2))

Codes = npt.NDArray[np.uint16]


@dataclass(frozen=True, slots=True, eq=False)
class Sketches:
    """One sketch per cell.

    Attributes:
        starts: where each cell's codes begin, and where the last one's end: ``(cells + 1,)``.
        codes: the codes, cell after cell.
    """

    starts: Ints
    codes: Codes

    @classmethod
    def empty(cls, cells: int) -> "Sketches":
        """Sketches of nothing."""
        return cls(np.zeros(cells + 1, np.int64), np.empty(0, np.uint16))

    @classmethod
    def of(cls, cell: Ints, codes: Codes, cells: int) -> "Sketches":
        """The sketches of codes that belong to cells, in any order and number."""
        keys = np.sort((cell << _CODE_BITS) | codes)
        # of one cell and register the greatest code comes last
        kept = keys[np.append(keys[1:] >> RANK_BITS != keys[:-1] >> RANK_BITS, True)] if len(keys) else keys
        starts = np.searchsorted(kept, np.arange(cells + 1) << _CODE_BITS)
        return cls(starts, (kept & ((1 << _CODE_BITS) - 1)).astype(np.uint16))

    @property
    def cell(self) -> Ints:
        """The cell of each code."""
        return np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))

    def take(self, at: Ints | slice) -> "Sketches":
        """The sketches of those cells."""
        begins, ends = self.starts[:-1][at], self.starts[1:][at]
        sizes = ends - begins
        starts = np.concatenate(([0], np.cumsum(sizes)))
        if isinstance(at, slice) and len(begins):
            return Sketches(starts, self.codes[begins[0] : ends[-1]])
        return Sketches(starts, self.codes[np.arange(starts[-1]) + np.repeat(begins - starts[:-1], sizes)])

    def join(self, other: "Sketches") -> "Sketches":
        """The cells of both, one after the other."""
        starts = np.concatenate((self.starts, other.starts[1:] + self.starts[-1]))
        return Sketches(starts, np.concatenate((self.codes, other.codes)))


def codes_of(bits: npt.NDArray[np.uint64]) -> Codes:
    """The code of each value's 64 even bits."""
    register = (bits >> np.uint64(64 - REGISTER_BITS)).astype(np.int64)
    rest = (bits & np.uint64((1 << _REST_BITS) - 1)).astype(np.float64)
    rank = np.minimum(_REST_BITS + 1 - np.frexp(rest)[1], TOP_RANK)
    codes: Any = (register << RANK_BITS) | rank
    return codes.astype(np.uint16)  # type: ignore[no-any-return]


def estimate_distinct(sketches: Sketches) -> Floats:
    """About how many different values each cell has seen; exactly 0 for none.

    >>> few = codes_of(np.arange(3, dtype=np.uint64) << np.uint64(55))
    >>> round(float(estimate_distinct(Sketches.of(np.zeros(3, np.int64), few, 1))[0]), 1)
    3.0
    """
    cells = len(sketches.starts) - 1
    powers = np.ldexp(1.0, -(sketches.codes & ((1 << RANK_BITS) - 1)).astype(np.int64))
    sums = np.bincount(sketches.cell, powers, minlength=cells)
    filled = np.diff(sketches.starts)
    with np.errstate(divide="ignore"):
        return np.where(filled == 0, 0.0, _ALPHA * REGISTERS**2 / (REGISTERS * _sigma(1 - filled / REGISTERS) + sums))


def _sigma(empty: Floats) -> Floats:
    """Ertl's sigma of the share of empty registers: ``x + sum(x**(2**k) * 2**(k - 1))``."""
    total, power, factor = empty.copy(), empty.copy(), 1.0
    for _ in range(_ROUNDS):
        power = power * power
        total = total + power * factor
        factor *= 2
    return total
