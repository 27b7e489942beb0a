"""Partial aggregates (cells) and how they combine."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from smallbox.arrays import Floats, Ints
from smallbox.features.windows.sketch import Sketches

NEVER: Final = int(np.iinfo(np.int64).min)
"""The event time that stands for "no latest value"."""


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Partial aggregates, one column per cell; a cell is a record, a tile or a window.

    Attributes:
        adds: sums, a row per entry of ``Layout.adds``.
        tops: maxima, a row per entry of ``Layout.tops``; minus infinity means no value.
        times: signed event times of the latest values, a row per entry of ``Layout.lasts``; ``NEVER`` means no value.
        ranks: ranks of the records of the latest values.
        values: the latest values; NaN means no value.
        sketches: distinct-value sketches, one per entry of ``Layout.sketches``.
    """

    adds: Ints
    tops: Floats
    times: Ints
    ranks: Ints
    values: Floats
    sketches: tuple[Sketches, ...] = ()

    def take(self, at: Ints | slice) -> "Cells":
        """The cells at those positions."""
        return self.map(lambda part: part[:, at], lambda sketch: sketch.take(at))

    @property
    def lasts(self) -> tuple[Ints, Ints, Floats]:
        """The three arrays of the latest values."""
        return self.times, self.ranks, self.values

    def map(self, change: Callable[[Any], Any], sketched: Callable[[Sketches], Sketches]) -> "Cells":
        """Apply ``change`` to each array, and ``sketched`` to each sketch."""
        adds, tops, times, ranks, values = (change(part) for part in (self.adds, self.tops, *self.lasts))
        return Cells(adds, tops, times, ranks, values, tuple(map(sketched, self.sketches)))


def join(first: Cells, second: Cells) -> Cells:
    """Concatenate the cells of both."""
    return Cells(
        np.concatenate((first.adds, second.adds), axis=1),
        np.concatenate((first.tops, second.tops), axis=1),
        np.concatenate((first.times, second.times), axis=1),
        np.concatenate((first.ranks, second.ranks), axis=1),
        np.concatenate((first.values, second.values), axis=1),
        tuple(mine.join(other) for mine, other in zip(first.sketches, second.sketches, strict=True)),
    )


def combine(cells: Cells, groups: Ints) -> tuple[Ints, Cells]:
    """Combine the cells of each group into one.

    Returns:
        The distinct groups in ascending order, and their cells.
    """
    if not len(groups):
        return groups, cells
    if (groups[1:] > groups[:-1]).all():  # the most frequent case: new records are in new tiles
        return groups, cells
    order = np.argsort(groups, kind="stable")
    ordered = groups[order]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    if len(starts) == len(order):
        return ordered, cells.take(order)
    latest = _latest(cells, groups, np.append(starts[1:], len(order)) - 1)
    return ordered[starts], Cells(
        np.add.reduceat(cells.adds[:, order], starts, axis=1),
        np.maximum.reduceat(cells.tops[:, order], starts, axis=1),
        np.take_along_axis(cells.times, latest, axis=1),
        np.take_along_axis(cells.ranks, latest, axis=1),
        np.take_along_axis(cells.values, latest, axis=1),
        tuple(_grouped(sketch, ordered[starts], groups) for sketch in cells.sketches),
    )


def _grouped(sketch: Sketches, distinct: Ints, groups: Ints) -> Sketches:
    place = np.searchsorted(distinct, groups)
    return Sketches.of(np.repeat(place, np.diff(sketch.starts)), sketch.codes, len(distinct))


def _latest(cells: Cells, groups: Ints, ends: Ints) -> Ints:
    """For each latest value, the position of each group's winner."""
    winners = np.empty((len(cells.times), len(ends)), np.int64)
    for at in range(len(cells.times)):
        order = np.lexsort((cells.values[at], cells.ranks[at], cells.times[at], groups))
        winners[at] = order[ends]
    return winners
