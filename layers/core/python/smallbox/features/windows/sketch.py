"""Distinct counts by HyperLogLog: one sparse sketch per cell.

The first 9 bits of a value's 64-bit hash choose one of 512 registers. The leading zeros of the last 53 bits, plus one,
are its rank. A register keeps the greatest rank (Flajolet, Fusy, Gandouet and Meunier, AofA 2007). Two sketches merge
by the greater rank, so order, duplicates and grouping do not matter. The estimate is Ertl's (New cardinality estimation
algorithms for HyperLogLog sketches, arXiv:1702.01284, 2017), which needs no bias-correction table; its relative
standard error is ``1.04 / sqrt(512)``, 4.6 %. It sums only powers of two and squares: equal sketches give equal bits.

A cell stores one 16-bit code for each non-empty register, ``register * 64 + rank``, in ascending order.
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
"""Ranks are capped here: sums of powers of two stay exact, up to about 10**15 distinct values."""

_CODE_BITS: Final = REGISTER_BITS + RANK_BITS
_REST_BITS: Final = 53
_ROUNDS: Final = 20
_ALPHA: Final = 1 / (2 * math.log(2))

Codes = npt.NDArray[np.uint16]


@dataclass(frozen=True, slots=True, eq=False)
class Sketches:
    """One sketch per cell.

    Attributes:
        starts: offsets of each cell's codes, as in CSR: ``(cells + 1,)``.
        codes: the codes of all cells, concatenated.
    """

    starts: Ints
    codes: Codes

    @classmethod
    def empty(cls, cells: int) -> "Sketches":
        """Sketches without values."""
        return cls(np.zeros(cells + 1, np.int64), np.empty(0, np.uint16))

    @classmethod
    def of(cls, cell: Ints, codes: Codes, cells: int) -> "Sketches":
        """Sketches from (cell, code) pairs, in any order, with duplicates."""
        keys = np.sort((cell << _CODE_BITS) | codes)
        # after sorting, the greatest code of each (cell, register) comes last
        kept = keys[np.append(keys[1:] >> RANK_BITS != keys[:-1] >> RANK_BITS, True)] if len(keys) else keys
        starts = np.searchsorted(kept, np.arange(cells + 1) << _CODE_BITS)
        return cls(starts, (kept & ((1 << _CODE_BITS) - 1)).astype(np.uint16))

    @property
    def cell(self) -> Ints:
        """The cell index of each code."""
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
        """Concatenate the cells of both."""
        starts = np.concatenate((self.starts, other.starts[1:] + self.starts[-1]))
        return Sketches(starts, np.concatenate((self.codes, other.codes)))


def codes_of(bits: npt.NDArray[np.uint64]) -> Codes:
    """The code of each 64-bit hash: ``register * 64 + rank``."""
    register = (bits >> np.uint64(64 - REGISTER_BITS)).astype(np.int64)
    rest = (bits & np.uint64((1 << _REST_BITS) - 1)).astype(np.float64)
    rank = np.minimum(_REST_BITS + 1 - np.frexp(rest)[1], TOP_RANK)
    codes: Any = (register << RANK_BITS) | rank
    return codes.astype(np.uint16)  # type: ignore[no-any-return]


def estimate_distinct(sketches: Sketches) -> Floats:
    """Estimated number of distinct values of each cell; exactly 0 for an empty cell.

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
    """Ertl's sigma, of the share of empty registers: ``x + sum(x**(2**k) * 2**(k - 1))``."""
    total, power, factor = empty.copy(), empty.copy(), 1.0
    for _ in range(_ROUNDS):
        power = power * power
        total = total + power * factor
        factor *= 2
    return total
