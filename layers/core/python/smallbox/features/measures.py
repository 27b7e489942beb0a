"""What is kept of records so that any window of them can be answered: sums, extremes and latest values.

All three combine in any order and grouping to the same bits:

* sums are integers. A number counts as a whole number of millionths, rounded half to even, and its sum is kept
  in two limbs of 32 bits, so that no sum over fewer than 2**31 records overflows;
* a minimum is kept as the maximum of the negated values;
* the latest value is the one with the greatest (event time, rank, value). A record's rank is the CRC-32 of its
  key: arbitrary, but the same for all features of a record, on every machine, for ever.
"""

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np

from smallbox.define.aggregates import Aggregate
from smallbox.define.view import FeatureView
from smallbox.features.window import Floats, Ints
from smallbox.records import Record

SCALE: Final = 1_000_000
"""How many units a number's 1 counts in a sum: a sum is exact to the sixth decimal."""

LIMB_BITS: Final = 32
NEVER: Final = int(np.iinfo(np.int64).min)
"""The event time of a latest value that is not there."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The measures of a view, deduplicated.

    Attributes:
        adds: what is summed, as (part, field): ``rows``, ``present``, ``true``, ``high`` or ``low`` of a field.
        tops: what the maximum is kept of, as (sign, field).
        lasts: the fields whose latest value is kept.
    """

    adds: tuple[tuple[str, str], ...]
    tops: tuple[tuple[float, str], ...]
    lasts: tuple[str, ...]

    @property
    def fields(self) -> tuple[str, ...]:
        """Every field that is read, once."""
        read = [field for _, field in (*self.adds, *self.tops)]
        return tuple(dict.fromkeys(f for f in (*read, *self.lasts) if f))


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Partial aggregates, one column per cell; a cell is a record, a tile or a window.

    Attributes:
        adds: sums, by the layout's ``adds``.
        tops: maxima, by its ``tops``; minus infinity over nothing.
        times: event times of the latest values, by its ``lasts``; ``NEVER`` where there is none.
        ranks: ranks of their records.
        values: the latest values themselves; not a number where there is none.
    """

    adds: Ints
    tops: Floats
    times: Ints
    ranks: Ints
    values: Floats

    def take(self, at: Ints | slice) -> "Cells":
        """The cells at those positions."""
        return self.map(lambda part: part[:, at])

    @property
    def lasts(self) -> tuple[Ints, Ints, Floats]:
        """The three arrays of the latest values."""
        return self.times, self.ranks, self.values

    def map(self, change: Callable[[Any], Any]) -> "Cells":
        """The same change to each of the arrays."""
        return Cells(*(change(part) for part in (self.adds, self.tops, *self.lasts)))


def sum_parts(view: FeatureView, aggregate: Aggregate) -> tuple[tuple[str, str], ...]:
    """The summed parts from which a count, sum, mean or rate is computed; none for the other kinds."""
    field = aggregate.field
    if aggregate.kind == "count":
        return (("rows", ""),)
    if aggregate.kind not in {"sum", "mean", "rate"}:
        return ()
    if view.source.fields[field].type == "boolean":
        return ("present", field), ("true", field)
    return ("present", field), ("high", field), ("low", field)


@lru_cache(maxsize=256)
def layout_of(view: FeatureView) -> Layout:
    """The measures that a view's aggregates need."""
    aggregates = view.features.values()
    signs = {"max": 1.0, "min": -1.0}
    return Layout(
        tuple(dict.fromkeys(part for a in aggregates for part in sum_parts(view, a))),
        tuple(dict.fromkeys((signs[a.kind], a.field) for a in aggregates if a.kind in signs)),
        tuple(dict.fromkeys(a.field for a in aggregates if a.kind == "last")),
    )


def rank_of(key: str) -> int:
    """What decides between records of one event time: see the module's third rule.

    >>> rank_of("123456789") == 0xCBF43926
    True
    """
    return zlib.crc32(key.encode())


def _summed(part: str, column: Floats) -> Ints:
    if part == "present":
        return np.where(np.isnan(column), 0, 1)
    if part == "true":
        return np.where(column == 1.0, 1, 0)
    units: Ints = np.rint(np.nan_to_num(column) * SCALE).astype(np.int64)
    limb: Ints = units >> LIMB_BITS if part == "high" else units & ((1 << LIMB_BITS) - 1)
    return limb


def lift(layout: Layout, times: Ints, ranks: Ints, columns: Mapping[str, Floats]) -> Cells:
    """One cell per record.

    Args:
        layout: which measures.
        times: the records' event times.
        ranks: their ranks.
        columns: their values by field, not a number for null; booleans as 0 and 1.
    """
    cells = blank(layout, len(times))
    for at, (part, field) in enumerate(layout.adds):
        cells.adds[at] = _summed(part, columns[field]) if field else 1
    for at, (sign, field) in enumerate(layout.tops):
        signed = columns[field] * sign
        cells.tops[at] = np.where(np.isnan(signed), -np.inf, signed)
    for at, field in enumerate(layout.lasts):
        there = ~np.isnan(columns[field])
        cells.times[at] = np.where(there, times, NEVER)
        cells.ranks[at] = np.where(there, ranks, 0)
        cells.values[at] = columns[field]
    return cells


def blank(layout: Layout, size: int) -> Cells:
    """That many cells over nothing."""
    adds, tops, lasts = len(layout.adds), len(layout.tops), len(layout.lasts)
    return Cells(
        np.zeros((adds, size), np.int64),
        np.full((tops, size), -np.inf),
        np.full((lasts, size), NEVER, np.int64),
        np.zeros((lasts, size), np.int64),
        np.full((lasts, size), np.nan),
    )


def lift_records(layout: Layout, records: Sequence[Record]) -> Cells:
    """One cell per record, from records."""
    columns = {
        field: np.array([record.values.get(field) for record in records], dtype=np.float64) for field in layout.fields
    }
    times = np.array([record.time for record in records], dtype=np.int64)
    ranks = np.array([rank_of(record.key) if layout.lasts else 0 for record in records], dtype=np.int64)
    return lift(layout, times, ranks, columns)


def join(first: Cells, second: Cells) -> Cells:
    """The cells of both, one after the other."""
    return Cells(
        np.concatenate((first.adds, second.adds), axis=1),
        np.concatenate((first.tops, second.tops), axis=1),
        np.concatenate((first.times, second.times), axis=1),
        np.concatenate((first.ranks, second.ranks), axis=1),
        np.concatenate((first.values, second.values), axis=1),
    )


def combine(cells: Cells, groups: Ints) -> tuple[Ints, Cells]:
    """Combine the cells of each group into one.

    Returns:
        The distinct groups in ascending order, and their cells.
    """
    if not len(groups):
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
    )


def _latest(cells: Cells, groups: Ints, ends: Ints) -> Ints:
    """For each latest value, the position of each group's winner."""
    winners = np.empty((len(cells.times), len(ends)), np.int64)
    for at in range(len(cells.times)):
        order = np.lexsort((cells.values[at], cells.ranks[at], cells.times[at], groups))
        winners[at] = order[ends]
    return winners
