"""An approximate count of distinct values: HyperLogLog with 1,024 registers, whose standard error is 3 %.

Registers merge by their maximum. Flajolet, Fusy, Gandouet, Meunier, *HyperLogLog*, AOFA 2007; small counts by linear
counting, as there.
"""

from typing import Final

import numpy as np

from smallbox.arrays import Array, Floats
from smallbox.profiles.layout import Hashes64

DISTINCT_REGISTERS: Final = 1_024
_BITS: Final = 10
_STEP: Final = np.uint64(0x9E3779B97F4A7C15)
_FIRST: Final = np.uint64(0xBF58476D1CE4E5B9)
_SECOND: Final = np.uint64(0x94D049BB133111EB)
_SHIFTS: Final = (np.uint64(30), np.uint64(27), np.uint64(31))
_REST: Final = np.uint64((1 << 53) - 1)
_TOP: Final = np.uint64(64 - _BITS)
_ALPHA: Final = 0.7213 / (1 + 1.079 / DISTINCT_REGISTERS)


def mixed(hashes: Hashes64) -> Hashes64:
    """Hashes in which every bit depends on all bits: the finalizer of splitmix64."""
    first, second, third = _SHIFTS
    found = hashes + _STEP
    found = (found ^ (found >> first)) * _FIRST
    found = (found ^ (found >> second)) * _SECOND
    return found ^ (found >> third)


def number_hashes(values: Floats) -> Hashes64:
    """A hash of each number; equal numbers have equal hashes."""
    # 0.0 and -0.0 are equal, and have other bits
    return mixed((values + 0.0).view(np.uint64))


def registers_of(hashes: Hashes64) -> Array:
    """The registers of values by their hashes, ``uint8`` of shape ``(1024,)``."""
    registers = np.zeros(DISTINCT_REGISTERS, np.uint8)
    rest = (hashes & _REST).astype(np.float64)
    # 53 bits are exact as a double, whose exponent is the place of the highest one
    ranks = (54 - np.frexp(rest)[1]).astype(np.uint8)
    np.maximum.at(registers, hashes >> _TOP, ranks)
    return registers


def distinct_of(registers: Array) -> float:
    """About how many distinct values were counted."""
    estimate = _ALPHA * DISTINCT_REGISTERS**2 / float(np.sum(2.0 ** -registers.astype(np.float64)))
    empty = int((registers == 0).sum())
    if estimate <= 2.5 * DISTINCT_REGISTERS and empty:
        return float(DISTINCT_REGISTERS * np.log(DISTINCT_REGISTERS / empty))
    return estimate
