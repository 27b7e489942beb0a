"""Cuts a range into consecutive ranges of about as many rows each, to work on them one after another."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

import numpy as np

from smallbox.arrays import Ints
from smallbox.ports import Between
from smallbox.times import HOUR

ROWS_AT_ONCE: Final = 250_000
"""About how many rows the steps over the whole lake hold at once."""


def spans_of(moments: Iterable[Ints], between: Between, most: int = ROWS_AT_ONCE) -> list[Between]:
    """Consecutive ranges that make up a range, each with at most ``most`` rows; the same ones for the same rows.

    They are cut at whole hours, so an hour with more rows is one range.

    Args:
        moments: the moment of each row, within the range, in any order and in any parts; there may be none.
        between: the range.
        most: the number of rows.

    >>> spans_of([np.array([1, 2]), np.array([HOUR, 5 * HOUR])], Between("time", 0, 9 * HOUR), 3) == [
    ...     Between("time", 0, 5 * HOUR), Between("time", 5 * HOUR, 9 * HOUR)
    ... ]
    True
    """
    hours = Counter[int]()
    for part in moments:
        found, counts = np.unique(part // HOUR, return_counts=True)
        hours.update(dict(zip(found.tolist(), counts.tolist(), strict=True)))
    edges = [between.start, *_cuts(hours, most), between.end]
    return [Between(between.column, *pair) for pair in pairwise(edges)]


def _cuts(hours: Counter[int], most: int) -> Sequence[int]:
    cuts, held = [], 0
    for hour, rows in sorted(hours.items()):
        if held and held + rows > most:
            cuts.append(hour * HOUR)
            held = 0
        held += rows
    return cuts
