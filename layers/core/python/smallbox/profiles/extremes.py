"""The most extreme rows of a column: the four smallest and the four greatest finite values, with when and which row.

A row is named by its event time and a hash of its key: a deleted key leaves no text behind in a profile.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from smallbox.arrays import Array, Floats, Ints
from smallbox.profiles.layout import Hashes64

KEPT: Final = 4
"""Rows that are kept at each end."""


@dataclass(frozen=True, slots=True, eq=False)
class Extremes:
    """Extreme rows of ``c`` numeric columns, each array ``(c, 2, 4)``: the smallest first, the most extreme first.

    Attributes:
        sizes: how extreme: the value at the upper end, its negative at the lower end; ``-inf`` where there is no row.
        times: event times, microseconds.
        keys: hashes of the rows' keys.
    """

    sizes: Floats
    times: Ints
    keys: Hashes64

    @classmethod
    def none(cls, columns: int) -> "Extremes":
        """No rows."""
        shape = (columns, 2, KEPT)
        return cls(np.full(shape, -np.inf), np.zeros(shape, np.int64), np.zeros(shape, np.uint64))


def extremes_of(values: Floats, times: Ints, keys: Hashes64) -> tuple[Floats, Ints, Hashes64]:
    """The extreme rows of one column, each ``(2, 4)``; NaN and infinite values are no extreme rows."""
    found = Extremes.none(1)
    if not len(values):
        return found.sizes[0], found.times[0], found.keys[0]
    finite = np.isfinite(values)
    if not finite.all():
        values, times, keys = values[finite], times[finite], keys[finite]
    # 0.0 and -0.0 are equal, and have other bytes
    for end, sizes in enumerate((0.0 - values, values + 0.0)):
        rows = most_extreme(sizes, times, keys)
        for kept, own in zip((found.sizes, found.times, found.keys), (sizes, times, keys), strict=True):
            kept[0, end, : len(rows)] = own[rows]
    return found.sizes[0], found.times[0], found.keys[0]


def most_extreme(sizes: Floats, times: Ints, keys: Hashes64) -> Ints:
    """The indices of the four largest sizes, largest first; equal ones by time and key, so that order is no matter."""
    rows: Array = np.arange(len(sizes))
    if len(sizes) > KEPT:
        rows = np.flatnonzero(sizes >= np.partition(sizes, -KEPT)[-KEPT])
    order = np.lexsort((keys[rows], times[rows], -sizes[rows]))
    return np.asarray(rows[order][:KEPT], np.int64)


def without_keys(extremes: Extremes, keys: Hashes64) -> Extremes:
    """The extreme rows without those of some keys; no other rows take their places."""
    is_gone = np.isin(extremes.keys, keys) & (extremes.sizes > -np.inf)
    left = Extremes(
        np.where(is_gone, -np.inf, extremes.sizes),
        np.where(is_gone, 0, extremes.times),
        np.where(is_gone, np.uint64(0), extremes.keys),
    )
    return merged_extremes(len(left.sizes), [left])


def merged_extremes(columns: int, parts: Sequence[Extremes]) -> Extremes:
    """The extreme rows of all parts together."""
    found = Extremes.none(columns)
    if not parts:
        return found
    sizes, times, keys = (
        np.concatenate([getattr(one, name) for one in parts], axis=2) for name in ("sizes", "times", "keys")
    )
    for at in np.ndindex(columns, 2):
        rows = most_extreme(sizes[at], times[at], keys[at])
        found.sizes[at], found.times[at], found.keys[at] = sizes[at][rows], times[at][rows], keys[at][rows]
    return found
