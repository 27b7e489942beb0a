"""The batch engine of windows: a point-in-time join with aggregates, for many questions at once.

A question is one (entity, ``as_of``) pair. Record versions are split into two kinds:

* *plain*: never superseded, and known at most ``delay`` after the event time. All of them with
  ``time < as_of - delay`` are known, so prefix sums aggregate them. The few newer ones are checked one by one.
* *odd*: the rest. All of them are checked one by one.

A version that is checked counts if ``known_at <= as_of < superseded_at``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from smallbox.arrays import Floats, Ints, pairs
from smallbox.define.view import FeatureView
from smallbox.features.columns import Names
from smallbox.features.engine import BatchEngine, StoredFeatures
from smallbox.features.windows.measures import ALL, Layout, layout_of, summed
from smallbox.features.windows.packing import Level, WindowState
from smallbox.features.windows.partial_aggregates import NEVER, Cells, combine
from smallbox.features.windows.rows import VersionRows, version_rows
from smallbox.features.windows.sketch import Sketches
from smallbox.features.windows.state import without_past_tiles
from smallbox.features.windows.totals import Totals, finish
from smallbox.features.windows.window_edges import end_of, start_of, windows
from smallbox.lake.history import FOREVER
from smallbox.times import Micros

_PLAIN_SHARE = 0.99
"""The quantile of delays that bounds plain versions. Higher: more recent versions to check. Lower: more odd ones."""


@dataclass(frozen=True, slots=True, eq=False)
class _Questions:
    """Questions sorted by (entity, as_of), so that neighbours read neighbouring versions.

    ``starts`` (one array per window) and ``end`` are in fine tiles since 1970.
    """

    entity: Ints
    as_of: Ints
    starts: Sequence[Ints]
    end: Ints


@dataclass(frozen=True, slots=True, eq=False)
class _Block:
    """Versions and their order by (entity, time); ``place`` is the sort key, ``entity * span + fine tile``."""

    rows: VersionRows
    order: Ints | slice
    place: Ints
    first_tile: int
    span: int

    def position(self, entity: Ints, tile: Ints) -> Ints:
        """The position of each entity's first version in that tile or later; 0 for an unknown entity."""
        since = np.minimum(np.maximum(tile - self.first_tile, 0), self.span - 1)
        return np.searchsorted(self.place, entity * self.span + since)

    def versions(self, positions: Ints) -> Ints:
        """The rows at those positions."""
        return positions if isinstance(self.order, slice) else self.order[positions]


@dataclass(frozen=True, slots=True, eq=False)
class _Ranges:
    """Positions in a block: where each window of each question begins, and where all windows of a question end."""

    firsts: Sequence[Ints]
    last: Ints


class WindowBatch(BatchEngine[FeatureView, WindowState]):
    """The batch engine of windows."""

    def features(self, view: FeatureView, versions: pa.Table, entities: Names, as_of: Ints) -> StoredFeatures:
        """Point-in-time aggregates, one row per question."""
        found = point_in_time(view, versions, entities, as_of)
        return StoredFeatures(found, np.empty((len(found), 0), dtype=object))

    def states(self, view: FeatureView, rows: pa.Table, as_of: Micros) -> dict[str, WindowState]:
        """The tiles of each entity, without those that no later question needs."""
        found = version_rows(view, rows)
        cells = found.lifted(view)
        by_level = [_levels(found, cells, size) for size in view.tile_sizes]
        own = zip(found.names.to_pylist(), zip(*by_level, strict=True), strict=True)
        return {name: without_past_tiles(view, WindowState(as_of, levels)) for name, levels in own}


WINDOW_BATCH: Final = WindowBatch()


def _levels(rows: VersionRows, cells: Cells, size: Micros) -> list[Level]:
    """The tiles of one size, for each entity."""
    if not len(rows.time):
        return []
    tile = rows.time // size
    first = int(tile.min())
    span = int(tile.max()) - first + 1
    places, tiles = combine(cells, rows.entity * span + tile - first)
    bounds = np.searchsorted(places, np.arange(len(rows.names) + 1) * span)
    index = places % span + first
    slices = [slice(int(a), int(b)) for a, b in pairwise(bounds)]
    return [Level(index[part], tiles.take(part)) for part in slices]


def point_in_time(view: FeatureView, table: pa.Table | VersionRows, entities: Names, as_of: Ints) -> Floats:
    """Point-in-time features: each entity as it was known at its ``as_of``.

    Args:
        view: the view.
        table: the lake's rows of the view's source, or the result of
            :func:`~smallbox.features.windows.rows.version_rows` for them.
        entities: one entity per question; an unknown entity, or ``None``, has no records.
        as_of: one moment per question.

    Returns:
        One row per question, in the order of ``view.features``; NaN means missing. Bit for bit equal to
        the online engine's values.
    """
    rows = table if isinstance(table, VersionRows) else version_rows(view, table)
    entity, as_of = rows.find(entities), np.asarray(as_of, dtype=np.int64)
    by_time = np.argsort(as_of, kind="stable")
    order = by_time[np.argsort(_narrow(entity, len(rows.names))[by_time], kind="stable")]
    asked = _questions(view, entity[order], as_of[order])
    totals = Totals.blank(view, len(order))
    if len(rows.time) and len(order):
        _answer(view, rows, asked, totals)
    out = np.empty((len(order), len(view.features)))
    out[order] = finish(view, totals, asked.as_of)
    return out


def _narrow(entity: Ints, names: int) -> Ints:
    """The same values as 16-bit integers if they fit: numpy radix-sorts those, several times faster."""
    return entity.astype(np.int16) if names < 1 << 15 else entity


def _questions(view: FeatureView, entity: Ints, as_of: Ints) -> _Questions:
    tile, end = view.tile_micros, end_of(view, as_of) // view.tile_micros
    starts = [start_of((length // tile, size // tile), end) for length, size in windows(view)]
    return _Questions(entity, as_of, starts, end)


def _answer(view: FeatureView, rows: VersionRows, asked: _Questions, totals: Totals) -> None:
    delay = rows.known_at - rows.time
    soonest, usual = int(delay.min()), int(delay.max())
    if soonest < usual:
        usual = int(np.quantile(delay, _PLAIN_SHARE, method="higher"))
    plain = (rows.superseded_at == FOREVER) & (delay <= usual)
    begin = np.minimum.reduce(asked.starts)
    if plain.any():
        block = _block(view, rows if plain.all() else rows.where(plain))
        settled = np.minimum((asked.as_of - usual) // view.tile_micros, asked.end)
        _add_settled(view, block, _ranges(block, asked, settled), totals)
        end = np.minimum((asked.as_of - soonest) // view.tile_micros + 1, asked.end)
        _add_listed(view, block, asked, np.maximum(begin, settled), end, totals)
    if not plain.all():
        _add_listed(view, _block(view, rows.where(~plain)), asked, begin, asked.end, totals)


def _block(view: FeatureView, rows: VersionRows) -> _Block:
    order, tile = _order(rows), rows.time // view.tile_micros
    first, last = int(tile.min()), int(tile.max())
    span = last - first + 2
    place = tile[order]
    # sorted by entity, so the versions of one entity are contiguous
    place += np.repeat(np.arange(len(rows.names)) * span - first, np.bincount(rows.entity, minlength=len(rows.names)))
    return _Block(rows, order, place, first, span)


def _order(rows: VersionRows) -> Ints | slice:
    """The indices that sort the rows by (entity, time)."""
    by_time = None if (rows.time[1:] >= rows.time[:-1]).all() else np.argsort(rows.time, kind="stable")
    entity = rows.entity if by_time is None else rows.entity[by_time]
    if (entity[1:] >= entity[:-1]).all():
        return slice(None) if by_time is None else by_time
    by_entity = np.argsort(_narrow(entity, len(rows.names)), kind="stable")
    return by_entity if by_time is None else by_time[by_entity]


def _ranges(block: _Block, asked: _Questions, until: Ints) -> _Ranges:
    last = block.position(asked.entity, until)
    return _Ranges([np.minimum(block.position(asked.entity, start), last) for start in asked.starts], last)


def _add_settled(view: FeatureView, block: _Block, ranges: _Ranges, totals: Totals) -> None:
    """Add all versions of the ranges; every one of them is known at its question's ``as_of``."""
    layout = layout_of(view)
    _add_sums(layout, block, ranges, totals)
    if layout.tops or layout.lasts or layout.sketches:
        cells = block.rows.where(block.versions(np.arange(len(block.place)))).lifted(view)
        _add_tops(cells, ranges, totals)
        _add_latest(layout, block, cells, ranges, totals)
        _add_seen(cells, ranges, totals)


def _add_sums(layout: Layout, block: _Block, ranges: _Ranges, totals: Totals) -> None:
    """Add sums as differences of prefix sums; counts of all versions are differences of positions."""
    read = {operand: block.rows.read(operand) for operand in {o for _, o in layout.adds} - {ALL}}
    for row, (part, operand) in enumerate(layout.adds):
        if operand == ALL:
            for window, first in enumerate(ranges.firsts):
                totals.adds[window, row] += ranges.last - first
            continue
        running = np.zeros(len(block.place) + 1, np.int64)
        np.cumsum(summed(part, read[operand])[block.order], dtype=np.int64, out=running[1:])
        at_last = running[ranges.last]
        for window, first in enumerate(ranges.firsts):
            totals.adds[window, row] += at_last - running[first]


def _add_tops(cells: Cells, ranges: _Ranges, totals: Totals) -> None:
    for row, top in enumerate(cells.tops):
        for window, first in enumerate(ranges.firsts):
            np.maximum(totals.tops[window, row], _top(top, first, ranges.last), out=totals.tops[window, row])


def _top(column: Floats, first: Ints, last: Ints) -> Floats:
    """The maximum of each range. ``reduceat`` reduces the gaps between ranges too; sorted questions keep them short."""
    bounds = np.stack((first, last), axis=1).ravel()
    tops = np.maximum.reduceat(np.append(column, -np.inf), bounds)[::2]
    return np.where(first < last, tops, -np.inf)


def _add_latest(layout: Layout, block: _Block, cells: Cells, ranges: _Ranges, totals: Totals) -> None:
    """Set the latest values; nothing was added before. An earliest value is the latest of the reversed versions."""
    size = len(block.place)
    for row, (end, _) in enumerate(layout.lasts):
        parts = tuple(part[row] for part in cells.lasts)
        settled = _settle_ties(block, parts, end)
        for window, first in enumerate(ranges.firsts):
            bounds = (first, ranges.last) if end > 0 else (size - ranges.last, size - first)
            found, at = _latest_in(settled[0], *bounds)
            for total, part in zip((totals.times, totals.ranks, totals.values), settled, strict=True):
                total[window, row, found] = part[at]


_Latest = tuple[npt.NDArray[Any], ...]
"""Event time, rank and value of each version, for one ``last`` or ``first`` measure."""


def _settle_ties(block: _Block, parts: _Latest, end: int) -> _Latest:
    """Sort versions of equal entity and time by (rank, value), so that the last one wins; reverse all for ``first``."""
    times, ranks, values = parts
    time, entity = block.rows.time[block.order], block.rows.entity[block.order]
    if ((entity[1:] == entity[:-1]) & (time[1:] == time[:-1])).any():
        order = np.lexsort((values * end, ranks * end, time, entity))
        times, ranks, values = times[order], ranks[order], values[order]
    return times[::end], ranks[::end], values[::end]


def _latest_in(times: Ints, first: Ints, last: Ints) -> tuple[Ints, Ints]:
    """The questions whose range has a value, and the position of the last value in that range."""
    there = np.where(times != NEVER, np.arange(len(times)), -1)
    latest = np.maximum.accumulate(there)[last - 1]
    found = np.flatnonzero((first < last) & (latest >= first))
    return found, latest[found]


def _add_seen(cells: Cells, ranges: _Ranges, totals: Totals) -> None:
    """Add the sketches version by version: sketches cannot be subtracted, so prefix sums do not work."""
    if not cells.sketches:
        return
    for question, version in pairs(np.minimum.reduce(ranges.firsts), ranges.last):
        for window, first in enumerate(ranges.firsts):
            inside = version >= first[question]
            which, shown = question[inside], version[inside]
            for seen, sketch in zip(totals.seen[window], cells.sketches, strict=True):
                one = sketch.take(shown)
                found = Sketches.of(which[one.cell], one.codes, len(ranges.last))
                seen.append((found.cell, found.codes))


def _add_listed(view: FeatureView, block: _Block, asked: _Questions, start: Ints, end: Ints, totals: Totals) -> None:
    """Check the versions of the tiles ``start <= tile < end`` one by one, and add those that count."""
    first, last = block.position(asked.entity, start), block.position(asked.entity, end)
    for question, position in pairs(first, last):
        moment, version = asked.as_of[question], block.versions(position)
        counts = (block.rows.known_at[version] <= moment) & (moment < block.rows.superseded_at[version])
        seen, shown = question[counts], block.rows.where(version[counts])
        cells, tile = shown.lifted(view), shown.time // view.tile_micros
        for window, begin in enumerate(asked.starts):
            inside = np.flatnonzero(tile >= begin[seen])
            totals.merge(window, *combine(cells.take(inside), seen[inside]))
