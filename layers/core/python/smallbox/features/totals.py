"""Measures over whole windows, and the one formula that turns them into feature values.

The stream and the batch engine both end here, so that equal measures give equal bits.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from smallbox.define.aggregates import Aggregate
from smallbox.define.view import FeatureView
from smallbox.features.measures import LIMB_BITS, NEVER, SCALE, Cells, Layout, layout_of, sum_parts
from smallbox.features.window import Floats, Ints, windows

_LIMB: Final = float(1 << LIMB_BITS)


@dataclass(frozen=True, slots=True, eq=False)
class Totals:
    """Cells of every window of a view for a number of questions; updated in place.

    The arrays are those of :class:`Cells` with the window as a first axis: (windows, measures, questions).
    ``adds`` has two more rows, of zeros and of ones, for what a formula does not use.
    """

    adds: Ints
    tops: Floats
    times: Ints
    ranks: Ints
    values: Floats

    @classmethod
    def blank(cls, view: FeatureView, questions: int) -> "Totals":
        """Over nothing."""
        layout, spans = layout_of(view), len(windows(view))
        adds = np.zeros((spans, len(layout.adds) + 2, questions), np.int64)
        adds[:, -1] = 1
        lasts = (spans, len(layout.lasts), questions)
        return cls(
            adds,
            np.full((spans, len(layout.tops), questions), -np.inf),
            np.full(lasts, NEVER, np.int64),
            np.zeros(lasts, np.int64),
            np.full(lasts, np.nan),
        )

    def merge(self, window: int, questions: Ints | slice, cells: Cells) -> None:
        """Combine one cell into each of those questions, all different, of a window."""
        self.adds[window][:-2][:, questions] += cells.adds
        tops = self.tops[window]
        tops[:, questions] = np.maximum(tops[:, questions], cells.tops)
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
    """How the features that are sums, counts, means and rates are computed, an array entry per feature.

    ``(high * 2**32 + low) / scale / (count of present values, or 1)``; missing where ``guard`` is 0.
    """

    features: Ints
    window: Ints
    high: Ints
    low: Ints
    divisor: Ints
    guard: Ints
    scale: Floats


@dataclass(frozen=True, slots=True)
class _Formulas:
    sums: _Sums
    tops: tuple[tuple[int, int, int, float], ...]
    lasts: tuple[tuple[int, int, int], ...]
    width: int


def _sum_formula(view: FeatureView, layout: Layout, aggregate: Aggregate) -> tuple[float, ...]:
    at = {part: layout.adds.index(part) for part in sum_parts(view, aggregate)}
    zeros, ones = len(layout.adds), len(layout.adds) + 1
    name = aggregate.field
    if aggregate.kind == "count":
        return zeros, at["rows", ""], ones, ones, 1
    present = at["present", name]
    divisor = ones if aggregate.kind == "sum" else present
    if ("true", name) in at:
        return zeros, at["true", name], divisor, present, 1
    return at["high", name], at["low", name], divisor, present, SCALE


@lru_cache(maxsize=256)
def _formulas(view: FeatureView) -> _Formulas:
    layout, spans = layout_of(view), windows(view)
    sums, tops, lasts = [], [], []
    for feature, aggregate in enumerate(view.features.values()):
        window = spans.index((aggregate.window_micros, view.tile_size(aggregate)))
        if aggregate.kind in {"min", "max"}:
            sign = 1.0 if aggregate.kind == "max" else -1.0
            tops.append((feature, window, layout.tops.index((sign, aggregate.field)), sign))
        elif aggregate.kind == "last":
            lasts.append((feature, window, layout.lasts.index(aggregate.field)))
        else:
            sums.append((feature, window, *_sum_formula(view, layout, aggregate)))
    columns: Ints = np.array(sums, dtype=np.int64).reshape(len(sums), 7).T
    return _Formulas(
        _Sums(columns[0], columns[1], columns[2], columns[3], columns[4], columns[5], columns[6].astype(float)),
        tuple(tops),
        tuple(lasts),
        len(view.features),
    )


def finish(view: FeatureView, totals: Totals) -> Floats:
    """The feature values, one row per question, in the order of ``view.features``; not a number is missing."""
    formulas = _formulas(view)
    out = np.empty((formulas.width, totals.adds.shape[2]))
    if len(formulas.sums.features):
        out[formulas.sums.features] = _ratios(formulas.sums, totals.adds)
    for feature, window, row, sign in formulas.tops:
        top = totals.tops[window, row]
        # adding zero turns a negative zero, which negation may leave, into a plain one
        out[feature] = np.where(np.isneginf(top), np.nan, top * sign + 0.0)
    for feature, window, row in formulas.lasts:
        out[feature] = totals.values[window, row] + 0.0
    return out.T


def _ratios(how: _Sums, adds: Ints) -> Floats:
    high, low = adds[how.window, how.high], adds[how.window, how.low]
    divisor, guard = adds[how.window, how.divisor], adds[how.window, how.guard]
    ratios = (high * _LIMB + low) / how.scale[:, None] / np.maximum(divisor, 1)
    ratios[guard == 0] = np.nan
    return ratios
