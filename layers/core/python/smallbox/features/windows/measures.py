"""Mergeable partial aggregates of records: sums, extremes, latest values and sketches.

They merge in any order and grouping to the same bits:

* sums are integers: numbers are fixed-point in millionths, rounded half to even. A sum has two limbs of 32 bits, a
  sum of squares four, so no sum over fewer than 2**31 records overflows;
* a minimum is stored as the maximum of the negated values;
* the latest value is the one with the greatest (event time, rank, value). A record's rank is the CRC-32 of its
  key: arbitrary, but stable across features, machines and releases. The first value is stored as the latest by negated
  event time;
* distinct values are counted by sketches; see :mod:`smallbox.features.windows.sketch`.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from smallbox.arrays import Bools, Floats, Ints
from smallbox.define.aggregates import Aggregate, Operand
from smallbox.define.view import FeatureView
from smallbox.features.windows.operand_columns import FieldColumns, columns_of, evaluate, hashes
from smallbox.features.windows.partial_aggregates import NEVER, Cells
from smallbox.features.windows.sketch import Sketches, codes_of
from smallbox.records import Record

SCALE: Final = 1_000_000
"""Fixed-point units per 1.0: sums are exact to the sixth decimal."""

LIMB_BITS: Final = 32
SQUARES: Final = ("square0", "square1", "square2", "square3")
"""The limbs of the squared units, lowest first."""

ALL: Final = Operand()
"""The operand without a field or condition: every record."""

_MASK: Final = np.uint64((1 << LIMB_BITS) - 1)
_LIMB: Final = np.uint64(LIMB_BITS)
_SUMMED: Final = frozenset({"count", "sum", "mean", "std", "rate"})
_SIGNS: Final = {"max": 1.0, "min": -1.0}
_ENDS: Final = {"last": 1, "since_last": 1, "first": -1}


@dataclass(frozen=True, slots=True)
class Layout:
    """The measures of a view, deduplicated.

    Attributes:
        adds: sums, as (part, operand); a part is ``present``, ``true``, or a limb of the units or of their square.
        tops: maxima, as (sign, operand); sign -1 gives a minimum.
        lasts: latest values, as (sign of the event time, operand); sign -1 gives the first value.
        sketches: operands whose distinct values are counted.
    """

    adds: tuple[tuple[str, Operand], ...]
    tops: tuple[tuple[float, Operand], ...]
    lasts: tuple[tuple[int, Operand], ...]
    sketches: tuple[Operand, ...]

    @property
    def operands(self) -> tuple[Operand, ...]:
        """All operands, deduplicated."""
        read = [operand for _, operand in (*self.adds, *self.tops, *self.lasts)]
        return tuple(dict.fromkeys([*read, *self.sketches]))

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields of all operands, deduplicated."""
        return tuple(dict.fromkeys(name for operand in self.operands for name in operand.fields))


def sum_parts(view: FeatureView, aggregate: Aggregate) -> tuple[tuple[str, Operand], ...]:
    """The summed parts that a count, sum, mean, standard deviation or rate needs; empty for other kinds."""
    operand = aggregate.operand
    if aggregate.kind not in _SUMMED:
        return ()
    names = ["present"]
    if aggregate.kind == "rate" or (aggregate.kind in {"sum", "mean"} and _is_boolean(view, operand)):
        names += ["true"]
    elif aggregate.kind != "count":
        names += ["high", "low", *(SQUARES if aggregate.kind == "std" else ())]
    return tuple((name, operand) for name in names)


def _is_boolean(view: FeatureView, operand: Operand) -> bool:
    return view.source.fields[operand.field].type == "boolean"


@lru_cache(maxsize=256)
def layout_of(view: FeatureView) -> Layout:
    """The measures that a view's aggregates need."""
    aggregates = view.features.values()
    return Layout(
        tuple(dict.fromkeys(part for a in aggregates for part in sum_parts(view, a))),
        tuple(dict.fromkeys((_SIGNS[a.kind], a.operand) for a in aggregates if a.kind in _SIGNS)),
        tuple(dict.fromkeys((_ENDS[a.kind], a.operand) for a in aggregates if a.kind in _ENDS)),
        tuple(dict.fromkeys(a.operand for a in aggregates if a.kind == "distinct")),
    )


def rank_of(key: str) -> int:
    """The tie-break between records of equal event time: CRC-32 of the key, see the module's third rule.

    >>> rank_of("123456789") == 0xCBF43926
    True
    """
    return zlib.crc32(key.encode())


def summed(part: str, values: Floats) -> Ints | Bools:
    """The summand of each value for that part; booleans count as 0 and 1."""
    if part in {"present", "true"}:
        truths: Bools = values == 1.0 if part == "true" else ~np.isnan(values)
        return truths
    units: Ints = np.rint(np.nan_to_num(values) * SCALE).astype(np.int64)
    if part in SQUARES:
        square: Ints = _square(units)[SQUARES.index(part)]
        return square
    limb: Ints = units >> LIMB_BITS if part == "high" else units & ((1 << LIMB_BITS) - 1)
    return limb


def _square(units: Ints) -> tuple[Ints, ...]:
    """The limbs of the squares: ``(h * 2**32 + l)**2`` by long multiplication, each step below 2**64."""
    size = np.abs(units).astype(np.uint64)
    high, low = size >> _LIMB, size & _MASK
    lowest = low * low
    middle = np.uint64(2) * high * low + (lowest >> _LIMB)
    top = high * high + (middle >> _LIMB)
    return tuple(limb.astype(np.int64) for limb in (lowest & _MASK, middle & _MASK, top & _MASK, top >> _LIMB))


def lift(layout: Layout, times: Ints, ranks: Ints, columns: FieldColumns) -> Cells:
    """One cell per record.

    Args:
        layout: the measures.
        times: the records' event times.
        ranks: their ranks.
        columns: their values by field; see :mod:`smallbox.features.windows.operand_columns`.
    """
    rows = len(times)
    cells = blank(layout, rows)
    counted = set(layout.operands) - set(layout.sketches) | {operand for _, operand in layout.adds}
    read = {operand: evaluate(operand, columns, rows) for operand in counted}
    for at, (part, operand) in enumerate(layout.adds):
        cells.adds[at] = summed(part, read[operand])
    for at, (sign, operand) in enumerate(layout.tops):
        signed = read[operand] * sign
        cells.tops[at] = np.where(np.isnan(signed), -np.inf, signed)
    for at, (end, operand) in enumerate(layout.lasts):
        there = ~np.isnan(read[operand])
        cells.times[at] = np.where(there, times * end, NEVER)
        cells.ranks[at] = np.where(there, ranks, 0)
        cells.values[at] = read[operand]
    sketches = tuple(_lifted(operand, columns, rows) for operand in layout.sketches)
    return Cells(cells.adds, cells.tops, *cells.lasts, sketches)


def _lifted(operand: Operand, columns: FieldColumns, rows: int) -> Sketches:
    at, bits = hashes(operand, columns)
    there = np.zeros(rows + 1, np.int64)
    there[at + 1] = 1
    return Sketches(np.cumsum(there), codes_of(bits))


def blank(layout: Layout, size: int) -> Cells:
    """Cells without records."""
    adds, tops, lasts = len(layout.adds), len(layout.tops), len(layout.lasts)
    return Cells(
        np.zeros((adds, size), np.int64),
        np.full((tops, size), -np.inf),
        np.full((lasts, size), NEVER, np.int64),
        np.zeros((lasts, size), np.int64),
        np.full((lasts, size), np.nan),
        tuple(Sketches.empty(size) for _ in layout.sketches),
    )


def lift_records(view: FeatureView, records: Sequence[Record]) -> Cells:
    """One cell per record, from records of the view's source."""
    layout = layout_of(view)
    times = np.array([record.time for record in records], dtype=np.int64)
    ranks = np.array([rank_of(record.key) if layout.lasts else 0 for record in records], dtype=np.int64)
    return lift(layout, times, ranks, columns_of(view.source, layout.fields, records))
