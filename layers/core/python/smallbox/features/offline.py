"""The batch engine: exact point-in-time features of many questions at once.

Versions of records are of two kinds. *Plain* ones were never superseded and became known at most ``delay`` after
their event time: of those, all with ``time < as_of - delay`` are known, so running sums answer for them; the few
that are newer are listed one by one. *Odd* ones, the rest, are always listed. A listed version counts where
``known_at <= as_of < superseded_at``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from smallbox.define.view import FeatureView
from smallbox.features.cells import NEVER, Cells, combine
from smallbox.features.listing import pairs
from smallbox.features.measures import layout_of
from smallbox.features.rows import Rows, rows_of
from smallbox.features.sketch import Sketches
from smallbox.features.totals import Totals, finish
from smallbox.features.window import Floats, Ints, end_of, start_of, windows
from smallbox.ingestion.table import FOREVER

_PLAIN_SHARE = 0.99
"""How much of the delays the plain versions' cover: a greater share lists more of the newest, a smaller more odd."""


@dataclass(frozen=True, slots=True, eq=False)
class _Questions:
    """Questions in the order of (entity, as_of); windows in fine tiles since 1970."""

    entity: Ints
    as_of: Ints
    starts: Sequence[Ints]
    end: Ints


@dataclass(frozen=True, slots=True, eq=False)
class _Block:
    """Versions in the order of (entity, time); ``place`` counts (entity, fine tile) pairs from 0."""

    rows: Rows
    cells: Cells
    tile: Ints
    place: Ints
    first_tile: int
    span: int

    def position(self, entity: Ints, tile: Ints) -> Ints:
        """The position of each entity's first version in that tile or later; 0 for an unknown entity."""
        place = entity * self.span + np.clip(tile - self.first_tile, 0, self.span - 1)
        return np.searchsorted(self.place, place)


def point_in_time(view: FeatureView, table: pa.Table | Rows, entities: Sequence[str | None], as_of: Ints) -> Floats:
    """The features of each entity as they were known at each moment.

    Args:
        view: the view.
        table: the lake's rows of the view's source, or :func:`~smallbox.features.rows.rows_of` them.
        entities: one entity per question; one that is not there, or ``None``, has no records.
        as_of: one moment per question.

    Returns:
        One row per question, in the order of ``view.features``; not a number is missing. Bit for bit what
        :func:`~smallbox.features.tiles.value` gives.
    """
    rows = table if isinstance(table, Rows) else rows_of(view, table)
    entity = rows.find(entities)
    order = np.lexsort((as_of, entity))
    asked = _questions(view, entity[order], np.asarray(as_of, dtype=np.int64)[order])
    totals = Totals.blank(view, len(order))
    if len(rows.time) and len(order):
        _answer(view, rows, asked, totals)
    out = np.empty((len(order), len(view.features)))
    out[order] = finish(view, totals, asked.as_of)
    return out


def _questions(view: FeatureView, entity: Ints, as_of: Ints) -> _Questions:
    end, tile = end_of(view, as_of), view.tile_micros
    return _Questions(entity, as_of, [start_of(w, end) // tile for w in windows(view)], end // tile)


def _answer(view: FeatureView, rows: Rows, asked: _Questions, totals: Totals) -> None:
    delay = rows.known_at - rows.time
    usual = int(np.quantile(delay, _PLAIN_SHARE, method="higher"))
    plain = (rows.superseded_at == FOREVER) & (delay <= usual)
    begin = np.minimum.reduce(asked.starts)
    if plain.any():
        block = _block(view, rows if plain.all() else rows.where(plain))
        soonest = int(delay[plain].min())
        settled = np.minimum((asked.as_of - usual) // view.tile_micros, asked.end)
        _add_settled(block, asked, settled, totals)
        _add_latest(view, block, asked, settled, totals)
        _add_seen(block, asked, settled, totals)
        end = np.minimum((asked.as_of - soonest) // view.tile_micros + 1, asked.end)
        _add_listed(block, asked, np.maximum(begin, settled), end, totals)
    if not plain.all():
        _add_listed(_block(view, rows.where(~plain)), asked, begin, asked.end, totals)


def _block(view: FeatureView, rows: Rows) -> _Block:
    order = _order(rows)
    if order is not None:
        rows = rows.where(order)
    tile = rows.time // view.tile_micros
    first = int(tile.min())
    span = int(tile.max()) - first + 2
    return _Block(rows, rows.lifted(view), tile, rows.entity * span + tile - first, first, span)


def _order(rows: Rows) -> Ints | None:
    """The order of (entity, time); ``None`` when the rows are in it."""
    by_time = None if (np.diff(rows.time) >= 0).all() else np.argsort(rows.time, kind="stable")
    entity = rows.entity if by_time is None else rows.entity[by_time]
    if (np.diff(entity) >= 0).all():
        return by_time
    # numpy sorts 16-bit integers by radix, several times faster
    narrow = entity.astype(np.uint16) if len(rows.names) <= 1 << 16 else entity
    by_entity = np.argsort(narrow, kind="stable")
    return by_entity if by_time is None else by_time[by_entity]


def _add_settled(block: _Block, asked: _Questions, until: Ints, totals: Totals) -> None:
    """Add the sums and extremes of every window before the tile ``until``, where all is known."""
    firsts, last = _ranges(block, asked, until)
    for row, column in enumerate(block.cells.adds):
        running = np.concatenate(([0], np.cumsum(column)))
        for window, first in enumerate(firsts):
            totals.adds[window, row] += running[last] - running[first]
    for row, top in enumerate(block.cells.tops):
        for window, first in enumerate(firsts):
            np.maximum(totals.tops[window, row], _top(top, first, last), out=totals.tops[window, row])


def _ranges(block: _Block, asked: _Questions, until: Ints) -> tuple[list[Ints], Ints]:
    """Where each window of each question begins among the versions, and where all of them end."""
    last = block.position(asked.entity, until)
    return [np.minimum(block.position(asked.entity, start), last) for start in asked.starts], last


def _top(column: Floats, first: Ints, last: Ints) -> Floats:
    """The maximum of each range; the questions' order makes the ranges between them, also computed, short."""
    bounds = np.stack((first, last), axis=1).ravel()
    tops = np.maximum.reduceat(np.append(column, -np.inf), bounds)[::2]
    return np.where(first < last, tops, -np.inf)


def _add_latest(view: FeatureView, block: _Block, asked: _Questions, until: Ints, totals: Totals) -> None:
    """Set the latest values, which are the first so far. An earliest value is the latest of the mirrored versions."""
    ends = [end for end, _ in layout_of(view).lasts]
    firsts, last = _ranges(block, asked, until) if ends else ([], until)
    size = len(block.tile)
    for row, end in enumerate(ends):
        parts = tuple(part[row] for part in block.cells.lasts)
        settled = _settle_ties(block.rows, parts, end)
        for window, first in enumerate(firsts):
            bounds = (first, last) if end > 0 else (size - last, size - first)
            found, at = _latest_in(settled[0], *bounds)
            for total, part in zip((totals.times, totals.ranks, totals.values), settled, strict=True):
                total[window, row, found] = part[at]


Latest = tuple[npt.NDArray[Any], ...]
"""Times, ranks and values of one latest value, version by version."""


def _settle_ties(rows: Rows, parts: Latest, end: int) -> Latest:
    """Put those of one entity and event time in the order of (rank, value), so that the last counts; mirror firsts."""
    times, ranks, values = parts
    same = (rows.entity[1:] == rows.entity[:-1]) & (rows.time[1:] == rows.time[:-1])
    if same.any():
        order = np.lexsort((values * end, ranks * end, rows.time, rows.entity))
        times, ranks, values = times[order], ranks[order], values[order]
    return times[::end], ranks[::end], values[::end]


def _latest_in(times: Ints, first: Ints, last: Ints) -> tuple[Ints, Ints]:
    """The questions whose range holds a value, and the position of the last one in it."""
    there = np.where(times != NEVER, np.arange(len(times)), -1)
    latest = np.maximum.accumulate(there)[last - 1]
    found = np.flatnonzero((first < last) & (latest >= first))
    return found, latest[found]


def _add_seen(block: _Block, asked: _Questions, until: Ints, totals: Totals) -> None:
    """Add the sketches of every window before the tile ``until``: version by version, as nothing subtracts."""
    if not block.cells.sketches:
        return
    firsts, last = _ranges(block, asked, until)
    for question, version in pairs(np.minimum.reduce(firsts), last):
        for window, first in enumerate(firsts):
            inside = version >= first[question]
            which, shown = question[inside], version[inside]
            for seen, sketch in zip(totals.seen[window], block.cells.sketches, strict=True):
                one = sketch.take(shown)
                found = Sketches.of(which[one.cell], one.codes, len(asked.end))
                seen.append((found.cell, found.codes))


def _add_listed(block: _Block, asked: _Questions, start: Ints, end: Ints, totals: Totals) -> None:
    """Add the versions from the tile ``start`` to before ``end``, one by one, where they count."""
    first, last = block.position(asked.entity, start), block.position(asked.entity, end)
    for question, version in pairs(first, last):
        moment = asked.as_of[question]
        counts = (block.rows.known_at[version] <= moment) & (moment < block.rows.superseded_at[version])
        seen, shown = question[counts], version[counts]
        for window, begin in enumerate(asked.starts):
            inside = block.tile[shown] >= begin[seen]
            which, cells = combine(block.cells.take(shown[inside]), seen[inside])
            totals.merge(window, which, cells)
