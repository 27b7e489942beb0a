"""The online engine of windows: one entity's records, pre-aggregated in tiles of several sizes by event time.

A state can answer every ``as_of`` from its watermark on: the latest ``known_at`` of its records. Tiles that no such
question needs are dropped. The answers depend on the set of records, not on their order or batching.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from smallbox.arrays import Floats, Ints
from smallbox.define.view import FeatureView
from smallbox.features.engine import StateEngine
from smallbox.features.windows.measures import blank, layout_of, lift_records
from smallbox.features.windows.packing import (
    Level,
    WindowState,
    pack_window,
    packed_watermark,
    time_signs,
    unpack_window,
    window_fingerprint,
)
from smallbox.features.windows.partial_aggregates import NEVER, Cells, combine, join
from smallbox.features.windows.totals import Totals, finish
from smallbox.features.windows.window_edges import (
    advance_watermark,
    end_of,
    kept_since,
    last_edge,
    window_reach,
    windows,
)
from smallbox.records import Record
from smallbox.times import Micros


class WindowStates(StateEngine[FeatureView, WindowState]):
    """The online engine of windows."""

    def empty(self, view: FeatureView) -> WindowState:
        """No tiles."""
        level = Level(np.empty(0, np.int64), blank(layout_of(view), 0))
        return WindowState(NEVER, (level,) * len(view.tile_sizes))

    def add(self, view: FeatureView, state: WindowState, records: Sequence[Record], now: Micros) -> WindowState:
        """Add the records to their tiles of every size."""
        return self.add_to_each(view, [(state, records)], now)[0] if records else state

    def add_to_each(
        self, view: FeatureView, grown: Sequence[tuple[WindowState, Sequence[Record]]], now: Micros
    ) -> list[WindowState]:
        """Lift the records of all states at once: that costs as much as to lift those of one."""
        moved = [advance_watermark(view.source, state.watermark, records, now) for state, records in grown]
        kept = [record for _, records in moved for record in records]
        cells = lift_records(view, kept)
        times = np.array([record.time for record in kept], dtype=np.int64)
        added, first = [], 0
        for (state, _), (watermark, records) in zip(grown, moved, strict=True):
            own = slice(first, first + len(records))
            first = own.stop
            levels = _grown(view, state.levels, times[own], cells.take(own)) if records else state.levels
            added.append(without_past_tiles(view, WindowState(watermark, levels)))
        return added

    def numbers(self, view: FeatureView, state: WindowState | None, as_of: Micros) -> Floats:
        """Aggregate the tiles of each window."""
        totals = Totals.blank(view, 1)
        if state is not None:
            _fill(view, state, as_of, totals)
        values: Floats = finish(view, totals, np.array([as_of], dtype=np.int64))[0]
        return values

    def texts(self, view: FeatureView, state: WindowState | None, as_of: Micros) -> list[str | None]:
        """An empty list: every aggregate is a number."""
        del view, state, as_of
        return []

    def fields(self, view: FeatureView) -> tuple[str, ...]:
        """The fields of the aggregates and of their conditions."""
        return layout_of(view).fields

    def reach(self, view: FeatureView) -> Micros:
        """The longest window, plus its first tile and the staleness."""
        return window_reach(view)

    def fingerprint(self, view: FeatureView) -> bytes:
        """Changes with the windows, the tiles, their measures, the entity and the source."""
        return window_fingerprint(view)

    def pack(self, view: FeatureView, state: WindowState) -> bytes:
        """See :mod:`smallbox.features.windows.packing`."""
        return pack_window(view, state)

    def unpack(self, view: FeatureView, packed: bytes) -> WindowState:
        """See :mod:`smallbox.features.windows.packing`."""
        return unpack_window(view, packed)

    def watermark_of(self, packed: bytes) -> Micros:
        """Read from the header."""
        return packed_watermark(packed)


WINDOW_STATES: Final = WindowStates()


def _grown(view: FeatureView, levels: Sequence[Level], times: Ints, cells: Cells) -> tuple[Level, ...]:
    sized = zip(levels, view.tile_sizes, strict=True)
    return tuple(_merged(level, times // size, cells) for level, size in sized)


def _merged(level: Level, index: Ints, cells: Cells) -> Level:
    return Level(*combine(join(level.cells, cells), np.concatenate((level.index, index))))


def without_past_tiles(view: FeatureView, state: WindowState) -> WindowState:
    """Drop the tiles that no ``as_of`` from the watermark on needs."""
    kept = []
    since = kept_since(view, state.watermark)
    for level, size, moment in zip(state.levels, view.tile_sizes, since, strict=True):
        first = int(np.searchsorted(level.index, moment // size))
        kept.append(Level(level.index[first:], level.cells.take(slice(first, None))) if first else level)
    return WindowState(state.watermark, tuple(kept))


@dataclass(frozen=True, slots=True)
class _Piece:
    """A run of tiles of one level: the body of a window, or the finer tiles from the body to the window's end.

    It begins ``length`` before the last boundary of tiles of size ``edge``, and ends where the windows end.
    """

    level: int
    size: Micros
    edge: Micros
    length: Micros
    windows: tuple[int, ...]


@lru_cache(maxsize=256)
def _pieces(view: FeatureView) -> tuple[_Piece, ...]:
    """All pieces of all windows, latest first."""
    sizes, spans = view.tile_sizes, windows(view)
    pieces = []
    for at, size in enumerate(sizes):
        coarser = tuple(i for i, (_, own) in enumerate(spans) if own > size)
        if coarser:
            pieces.append(_Piece(at, size, sizes[at + 1], 0, coarser))
        pieces += [_Piece(at, size, size, length, (i,)) for i, (length, own) in enumerate(spans) if own == size]
    return tuple(pieces)


def _fill(view: FeatureView, state: WindowState, as_of: Micros, totals: Totals) -> None:
    end, signs = end_of(view, as_of), time_signs(view)[:, 0].tolist()
    for piece in _pieces(view):
        level = state.levels[piece.level]
        start, index = last_edge(end, piece.edge) - piece.length, level.index.data
        # for one entity this is faster than searchsorted
        first, last = bisect_left(index, start // piece.size), bisect_left(index, end // piece.size)
        if first < last:
            _add_run(level.cells, slice(first, last), piece.windows, signs, totals)


def _add_run(cells: Cells, run: slice, into: tuple[int, ...], signs: Sequence[int], totals: Totals) -> None:
    """Add a run of tiles to each of these windows, for the one question; later runs were added before."""
    adds = np.add.reduce(cells.adds[:, run], axis=1)
    tops = np.maximum.reduce(cells.tops[:, run], axis=1) if len(cells.tops) else None
    for window in into:
        totals.adds[window, :-2, 0] += adds
        if tops is not None:
            held = totals.tops[window, :, 0]
            np.maximum(held, tops, out=held)
        for at, sketch in enumerate(cells.sketches):
            codes = sketch.take(run).codes
            totals.seen[window][at].append((np.zeros(len(codes), np.int64), codes))
    for row, (times, sign) in enumerate(zip(cells.times[:, run], signs, strict=True)):
        at = run.start + int(times.argmax())
        if cells.times[row, at] != NEVER:
            _take_latest(cells, row, at, sign, into, totals)


def _take_latest(cells: Cells, row: int, at: int, sign: int, into: tuple[int, ...], totals: Totals) -> None:
    """Take this tile's value: always for ``first``; for ``last`` if a window has none. Later tiles came before."""
    for window in into:
        if sign < 0 or totals.times[window, row, 0] == NEVER:
            totals.times[window, row, 0] = cells.times[row, at]
            totals.ranks[window, row, 0] = cells.ranks[row, at]
            totals.values[window, row, 0] = cells.values[row, at]
