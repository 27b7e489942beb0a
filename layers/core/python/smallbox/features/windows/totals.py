"""Measures over whole windows, and the formulas that turn them into feature values.

The online and the batch engine share this code, so that equal measures give equal bits.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from smallbox.arrays import Floats, Ints
from smallbox.define.aggregates import Aggregate
from smallbox.define.view import FeatureView
from smallbox.features.small_arrays import full_of
from smallbox.features.windows.measures import LIMB_BITS, SCALE, SQUARES, Layout, layout_of, sum_parts
from smallbox.features.windows.partial_aggregates import NEVER, Cells
from smallbox.features.windows.sketch import Codes, Sketches, estimate_distinct
from smallbox.features.windows.window_edges import windows
from smallbox.times import SECOND

_LIMB: Final = float(1 << LIMB_BITS)


@dataclass(frozen=True, slots=True, eq=False)
class Totals:
    """The cells of every window of a view, for a batch of questions; updated in place.

    The arrays are those of :class:`Cells` with the window as first axis: (windows, measures, questions).
    ``adds`` has two extra rows, zeros and ones, as neutral operands of the formulas. ``seen[window][sketch]`` lists
    the (questions, codes) pairs added so far.
    """

    adds: Ints
    tops: Floats
    times: Ints
    ranks: Ints
    values: Floats
    seen: list[list[list[tuple[Ints, Codes]]]]

    @classmethod
    def blank(cls, view: FeatureView, questions: int) -> "Totals":
        """Totals without records."""
        layout, spans = layout_of(view), len(windows(view))
        adds = np.zeros((spans, len(layout.adds) + 2, questions), np.int64)
        adds[:, -1] = 1
        lasts = (spans, len(layout.lasts), questions)
        return cls(
            adds,
            full_of(-np.inf, (spans, len(layout.tops), questions)),
            full_of(NEVER, lasts, np.int64),
            np.zeros(lasts, np.int64),
            full_of(np.nan, lasts),
            [[[] for _ in layout.sketches] for _ in range(spans)],
        )

    def merge(self, window: int, questions: Ints | slice, cells: Cells) -> None:
        """Merge one cell into each of the given questions of a window; the questions are distinct."""
        self.adds[window][:-2][:, questions] += cells.adds
        tops = self.tops[window]
        tops[:, questions] = np.maximum(tops[:, questions], cells.tops)
        for seen, sketch in zip(self.seen[window], cells.sketches, strict=True):
            seen.append((np.arange(self.adds.shape[2])[questions][sketch.cell], sketch.codes))
        if not len(cells.times):
            return
        mine = (self.times[window], self.ranks[window], self.values[window])
        later = _is_later(cells, *(part[:, questions] for part in mine))
        for part, new in zip(mine, cells.lasts, strict=True):
            part[:, questions] = np.where(later, new, part[:, questions])


def _is_later(cells: Cells, times: Ints, ranks: Ints, values: Floats) -> npt.NDArray[np.bool_]:
    by_value = (cells.ranks == ranks) & (cells.values > values)
    later: npt.NDArray[np.bool_] = (cells.times == times) & ((cells.ranks > ranks) | by_value)
    return later | (cells.times > times)


@dataclass(frozen=True, slots=True)
class _Sums:
    """Formulas of the sum, count, mean and rate features; one array entry per feature.

    ``parts`` are the rows of ``high``, ``low``, ``divisor`` and ``guard``:
    ``(high * 2**32 + low) / scale / max(divisor, 1)``; missing if ``guard`` is 0. ``rows`` has the same by feature:
    window, the four parts, and scale.
    """

    features: Ints
    window: Ints
    parts: Ints
    scale: Floats
    rows: tuple[tuple[int, int, int, int, int, float], ...]

    @classmethod
    def of(cls, found: Sequence[tuple[int, ...]]) -> "_Sums":
        """From (feature, window, four parts, scale) tuples."""
        columns: Ints = np.array(found, dtype=np.int64).reshape(len(found), 7).T
        rows = tuple((w, high, low, divisor, guard, float(scale)) for _, w, high, low, divisor, guard, scale in found)
        return cls(columns[0], columns[1], columns[2:6], columns[6].astype(float)[:, None], rows)


@dataclass(frozen=True, slots=True)
class _Kept:
    """Where the min, max, last and first features are read from; one array entry per feature."""

    features: Ints
    window: Ints
    row: Ints
    sign: Floats

    @classmethod
    def of(cls, found: Sequence[tuple[int, int, int, float]]) -> "_Kept":
        """From (feature, window, row, sign) tuples."""
        columns = np.array(found, dtype=np.float64).reshape(len(found), 4).T
        features, window, row = columns[:3].astype(np.int64)
        return cls(features, window, row, columns[3][:, None])


@dataclass(frozen=True, slots=True)
class _Formulas:
    """The features grouped by formula; the last three groups as (feature, window, row or rows) tuples."""

    sums: _Sums
    tops: _Kept
    lasts: _Kept
    deviations: tuple[tuple[int, int, tuple[int, ...]], ...]
    since: tuple[tuple[int, int, int], ...]
    sketches: tuple[tuple[int, int, int], ...]
    width: int


def _sum_formula(view: FeatureView, layout: Layout, aggregate: Aggregate) -> tuple[float, ...]:
    at = {part: layout.adds.index((part, operand)) for part, operand in sum_parts(view, aggregate)}
    zeros, ones = len(layout.adds), len(layout.adds) + 1
    if aggregate.kind == "count":
        return zeros, at["present"], ones, ones, 1
    divisor = ones if aggregate.kind == "sum" else at["present"]
    if "true" in at:
        return zeros, at["true"], divisor, at["present"], 1
    return at["high"], at["low"], divisor, at["present"], SCALE


@lru_cache(maxsize=256)
def _formulas(view: FeatureView) -> _Formulas:
    layout, spans = layout_of(view), windows(view)
    found: dict[str, list[Any]] = {kind: [] for kind in ("sum", "std", "top", "last", "since_last", "distinct")}
    for feature, aggregate in enumerate(view.features.values()):
        at = feature, spans.index((aggregate.window_micros, view.tile_size(aggregate)))
        kind, operand = aggregate.kind, aggregate.operand
        if kind in {"min", "max"}:
            sign = 1.0 if kind == "max" else -1.0
            found["top"].append((*at, layout.tops.index((sign, operand)), sign))
        elif kind in {"last", "first", "since_last"}:
            row = layout.lasts.index((-1 if kind == "first" else 1, operand))
            kept = (*at, row) if kind == "since_last" else (*at, row, 1.0)
            found["since_last" if kind == "since_last" else "last"].append(kept)
        elif kind == "distinct":
            found[kind].append((*at, layout.sketches.index(operand)))
        elif kind == "std":
            parts = [layout.adds.index((part, operand)) for part in ("present", "high", "low", *SQUARES)]
            found[kind].append((*at, tuple(parts)))
        else:
            found["sum"].append((*at, *_sum_formula(view, layout, aggregate)))
    sums = _Sums.of(found["sum"])
    std, since, sketches = (tuple(found[kind]) for kind in ("std", "since_last", "distinct"))
    return _Formulas(sums, _Kept.of(found["top"]), _Kept.of(found["last"]), std, since, sketches, len(view.features))


def finish(view: FeatureView, totals: Totals, as_of: Ints) -> Floats:
    """The feature values, one row per question, in the order of ``view.features``; NaN means missing.

    Args:
        view: the view.
        totals: the merged cells of its windows.
        as_of: the moment of each question, in microseconds.
    """
    formulas, questions = _formulas(view), totals.adds.shape[2]
    out = np.empty((formulas.width, questions))
    if len(formulas.sums.features):
        out[formulas.sums.features] = _ratios(formulas.sums, totals.adds)
    for feature, window, parts in formulas.deviations:
        out[feature] = _deviation(totals.adds[window][list(parts)])
    if len(formulas.tops.features):
        top = totals.tops[formulas.tops.window, formulas.tops.row]
        # adding 0.0 turns a negative zero, which the negation may leave, into a positive one
        signed = top * formulas.tops.sign + 0.0
        signed[top == -np.inf] = np.nan
        out[formulas.tops.features] = signed
    if len(formulas.lasts.features):
        out[formulas.lasts.features] = totals.values[formulas.lasts.window, formulas.lasts.row] + 0.0
    for feature, window, row in formulas.since:
        times = totals.times[window, row]
        out[feature] = np.where(times == NEVER, np.nan, (as_of - times) / SECOND)
    for feature, window, row in formulas.sketches:
        out[feature] = _estimated(totals.seen[window][row], questions)
    return out.T


def _ratios(how: _Sums, adds: Ints) -> Floats:
    if adds.shape[2] == 1:
        return _ratios_of_one(how, adds[:, :, 0].tolist())
    high, low, divisor, guard = adds[how.window, how.parts]
    ratios: Floats = (high * _LIMB + low) / how.scale / np.maximum(divisor, 1)
    ratios[guard == 0] = np.nan
    return ratios


def _ratios_of_one(how: _Sums, adds: Sequence[Sequence[int]]) -> Floats:
    """The same operations for one question, with the same bits: for so few numbers they are faster outside of numpy."""
    found = [
        (adds[window][high] * _LIMB + adds[window][low]) / scale / max(adds[window][divisor], 1)
        if adds[window][guard]
        else math.nan
        for window, high, low, divisor, guard, scale in how.rows
    ]
    return np.array(found)[:, None]


def _deviation(parts: Ints) -> Floats:
    """The sample standard deviation; integers are exact up to the final division and root.

    ``sqrt((n * sum(x**2) - sum(x)**2) / (n * (n - 1)))``.
    """
    n, high, low, *squares = parts.astype(object)
    total = (high << LIMB_BITS) + low
    square = sum(limb << (LIMB_BITS * at) for at, limb in enumerate(squares))
    spread = (n * square - total * total).astype(np.float64)
    count = parts[0].astype(np.float64)
    found = np.sqrt(spread / np.maximum(count * (count - 1), 1)) / SCALE
    return np.where(count > 1, found, np.nan)


def _estimated(seen: Sequence[tuple[Ints, Codes]], questions: int) -> Floats:
    if not seen:
        return np.zeros(questions)
    cells, codes = (np.concatenate(parts) for parts in zip(*seen, strict=True))
    return estimate_distinct(Sketches.of(cells, codes, questions))
