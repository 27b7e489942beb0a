"""The online state of one entity of one view: tiles by event time, fine ones and coarser ones.

A state answers every ``as_of`` from its watermark on: the latest ``known_at`` of the records it holds. Tiles that
no such question can reach are dropped. What a state answers depends on its records, never on their order or batches.

Packed, a state has a header (format, fingerprint of the view's layout, watermark), then for each level its number
of tiles; of its columns of whole numbers the least values, then the widths of 0, 1, 2, 4 or 8 bytes of the unsigned
differences from them, then these, the columns of one width together; its columns of floats as they are; and the codes
of its sketches. Little-endian throughout.
"""

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from smallbox.define.view import FeatureView
from smallbox.errors import NotReady
from smallbox.features.cells import NEVER, Cells, combine, join
from smallbox.features.measures import blank, layout_of, lift_records
from smallbox.features.sketch import Sketches
from smallbox.features.totals import Totals, finish
from smallbox.features.window import Floats, Ints, end_of, floor, kept_since, levels, near, windows
from smallbox.records import Record
from smallbox.times import Micros

_FORMAT: Final = 3
_HEADER: Final = struct.Struct("<B8sq")
_COUNT: Final = struct.Struct("<I")
_TYPES: Final = {width: np.dtype(f"<u{width}") for width in (1, 2, 4, 8)}


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """The tiles of one size, those that hold anything, in ascending order.

    Attributes:
        index: where each tile begins, in tiles of its size since 1970.
        cells: what each holds.
    """

    index: Ints
    cells: Cells


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """What is stored of an entity.

    Attributes:
        watermark: the state answers ``as_of`` from this moment on: the latest at which one of its records was known.
        levels: the tiles by size, fine first; see :func:`~smallbox.features.window.levels`.
    """

    watermark: Micros
    levels: tuple[Level, ...]


def empty(view: FeatureView) -> State:
    """The state of an entity without records."""
    level = Level(np.empty(0, np.int64), blank(layout_of(view), 0))
    return State(NEVER, (level,) * len(levels(view)))


def add(view: FeatureView, state: State, records: Sequence[Record], now: Micros) -> State:
    """The state with these records added, each the only version of its key that the state has seen.

    Records further :func:`~smallbox.features.window.ahead` than a state keeps are left out.

    Args:
        view: the view.
        state: the state so far.
        records: records of one entity, known already or not.
        now: the present, or a replay's; the next question is not asked before.
    """
    if not records:
        return state
    watermark, kept = near(view.source, state.watermark, records, now)
    if not kept:
        return pruned(view, State(watermark, state.levels))
    cells = lift_records(view, kept)
    times = np.array([record.time for record in kept], dtype=np.int64)
    sized = zip(state.levels, levels(view), strict=True)
    return pruned(view, State(watermark, tuple(_merged(level, times // size, cells) for level, size in sized)))


def _merged(level: Level, index: Ints, cells: Cells) -> Level:
    return Level(*combine(join(level.cells, cells), np.concatenate((level.index, index))))


def pruned(view: FeatureView, state: State) -> State:
    """The state without the tiles that no ``as_of`` from its watermark on can reach."""
    kept = []
    since = kept_since(view, state.watermark)
    for level, size, moment in zip(state.levels, levels(view), since, strict=True):
        first = int(np.searchsorted(level.index, moment // size))
        kept.append(Level(level.index[first:], level.cells.take(slice(first, None))) if first else level)
    return State(state.watermark, tuple(kept))


@dataclass(frozen=True, slots=True)
class _Piece:
    """A run of tiles of one level: a window's body, or what fills from there to the end.

    It begins ``length`` before the last edge of a tile of ``edge``, and ends with the windows.
    """

    level: int
    size: Micros
    edge: Micros
    length: Micros
    windows: tuple[int, ...]


@lru_cache(maxsize=256)
def _pieces(view: FeatureView) -> tuple[_Piece, ...]:
    """Every piece, latest first, with the windows that it is part of."""
    sizes, spans = levels(view), windows(view)
    pieces = []
    for at, size in enumerate(sizes):
        coarser = tuple(i for i, (_, own) in enumerate(spans) if own > size)
        if coarser:
            pieces.append(_Piece(at, size, sizes[at + 1], 0, coarser))
        pieces += [_Piece(at, size, size, length, (i,)) for i, (length, own) in enumerate(spans) if own == size]
    return tuple(pieces)


def value(view: FeatureView, state: State | None, as_of: Micros) -> Floats:
    """The features at a moment, in the order of ``view.features``; NaN means missing.

    Args:
        view: the view.
        state: the entity's state; ``None`` is an entity of which nothing is stored.
        as_of: not before the state's watermark.
    """
    totals = Totals.blank(view, 1)
    if state is not None:
        _fill(view, state, as_of, totals)
    values: Floats = finish(view, totals, np.array([as_of], dtype=np.int64))[0]
    return values


def texts(_view: FeatureView, _state: State | None, _as_of: Micros) -> list[str | None]:
    """The features that are texts: none."""
    return []


def _fill(view: FeatureView, state: State, as_of: Micros, totals: Totals) -> None:
    end, signs = end_of(view, as_of), _ends(view)[:, 0].tolist()
    for piece in _pieces(view):
        level = state.levels[piece.level]
        start = floor(end, piece.edge) - piece.length
        first, last = level.index.searchsorted((start // piece.size, end // piece.size)).tolist()
        if first < last:
            _add_run(level.cells, slice(first, last), piece.windows, signs, totals)


def _add_run(cells: Cells, run: slice, into: tuple[int, ...], signs: Sequence[int], totals: Totals) -> None:
    """Add a run of tiles to the one question of each of these windows; it lies before all that they hold."""
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
    """Take the value of this tile where a window has none, and an earliest one always: later tiles came before."""
    for window in into:
        if sign < 0 or totals.times[window, row, 0] == NEVER:
            totals.times[window, row, 0] = cells.times[row, at]
            totals.ranks[window, row, 0] = cells.ranks[row, at]
            totals.values[window, row, 0] = cells.values[row, at]


@lru_cache(maxsize=256)
def fingerprint(view: FeatureView) -> bytes:
    """Eight bytes that change when states of the view would mean something else."""
    meaning = (_FORMAT, levels(view), windows(view), layout_of(view), view.entity_fields, view.source.name)
    return hashlib.blake2b(repr(meaning).encode(), digest_size=8).digest()


def pack(view: FeatureView, state: State) -> bytes:
    """The state as bytes; equal states give equal bytes."""
    parts = [_HEADER.pack(_FORMAT, fingerprint(view), state.watermark)]
    for level, size in zip(state.levels, levels(view), strict=True):
        parts.append(_COUNT.pack(len(level.index)))
        if len(level.index):
            parts += _pack_columns(_whole_numbers(view, level, size))
            parts += [level.cells.tops.tobytes(), level.cells.values.tobytes()]
            parts += [sketch.codes.astype("<u2").tobytes() for sketch in level.cells.sketches]
    return b"".join(parts)


@lru_cache(maxsize=256)
def _ends(view: FeatureView) -> Ints:
    """The sign of the event times of each latest value, as a column."""
    return np.array([end for end, _ in layout_of(view).lasts], dtype=np.int64)[:, None]


def _whole_numbers(view: FeatureView, level: Level, size: Micros) -> Ints:
    cells = level.cells
    # a time since the start of its tile needs fewer bytes than one since 1970
    since = np.where(cells.times == NEVER, -1, cells.times * _ends(view) - level.index * size)
    counts = [np.diff(sketch.starts)[None] for sketch in cells.sketches]
    return np.concatenate((level.index[None], cells.adds, since, cells.ranks, *counts))


def _pack_columns(whole: Ints) -> list[bytes]:
    bases = whole.min(axis=1)
    widths = [_width(int(top)) for top in (whole.max(axis=1) - bases).view(np.uint64)]
    since = (whole - bases[:, None]).view(np.uint64)
    parts = [bases.astype("<i8").tobytes(), bytes(widths)]
    return parts + [since[_of(widths, width)].astype(kind).tobytes() for width, kind in _TYPES.items()]


def _width(top: int) -> int:
    return next(width for width in (0, *_TYPES) if top < 1 << 8 * width)


def _of(widths: Sequence[int], width: int) -> list[int]:
    return [at for at, own in enumerate(widths) if own == width]


def unpack(view: FeatureView, packed: bytes) -> State:
    """The inverse of :func:`pack`.

    Raises:
        NotReady: when the state was packed for another layout: the view has changed since, rebuild its states.
    """
    form, found, watermark = _HEADER.unpack_from(packed)
    if form != _FORMAT or found != fingerprint(view):
        raise NotReady(
            f"a state of view {view.name} was stored for another definition of it; run `smallbox backfill {view.name}`",
            view=view.name,
        )
    at, unpacked = _HEADER.size, []
    for size in levels(view):
        level, at = _unpack_level(view, packed, at, size)
        unpacked.append(level)
    return State(watermark, tuple(unpacked))


def watermark_of(packed: bytes) -> Micros:
    """The watermark of a packed state, whatever layout it was packed for."""
    watermark: int = _HEADER.unpack_from(packed)[2]
    return watermark


def _unpack_level(view: FeatureView, packed: bytes, at: int, size: Micros) -> tuple[Level, int]:
    layout = layout_of(view)
    adds, tops, lasts = len(layout.adds), len(layout.tops), len(layout.lasts)
    tiles: int = _COUNT.unpack_from(packed, at)[0]
    at += _COUNT.size
    whole, at = _unpack_columns(packed, at, 1 + adds + 2 * lasts + len(layout.sketches), tiles)
    floats = np.frombuffer(packed, "<f8", (tops + lasts) * tiles, at).reshape(tops + lasts, tiles)
    index, since, ranks = whole[0], whole[1 + adds : 1 + adds + lasts], whole[1 + adds + lasts : 1 + adds + 2 * lasts]
    times = np.where(since < 0, NEVER, (since + index * size) * _ends(view)) if lasts else since
    sketches, at = _unpack_sketches(packed, at + floats.nbytes, whole[1 + adds + 2 * lasts :])
    return Level(index, Cells(whole[1 : 1 + adds], floats[:tops], times, ranks, floats[tops:], sketches)), at


def _unpack_sketches(packed: bytes, at: int, counts: Ints) -> tuple[tuple[Sketches, ...], int]:
    sketches = []
    for sizes in counts:
        starts = np.concatenate(([0], np.cumsum(sizes)))
        codes = np.frombuffer(packed, "<u2", int(starts[-1]), at)
        at += codes.nbytes
        sketches.append(Sketches(starts, codes))
    return tuple(sketches), at


def _unpack_columns(packed: bytes, at: int, columns: int, tiles: int) -> tuple[Ints, int]:
    whole = np.zeros((columns, tiles), np.int64)
    if not tiles:
        return whole, at
    bases = np.frombuffer(packed, "<i8", columns, at)
    widths = packed[at + 8 * columns : at + 9 * columns]
    at += 9 * columns
    for width, kind in _TYPES.items():
        if width in widths:
            rows = _of(widths, width)
            whole[rows] = np.frombuffer(packed, kind, len(rows) * tiles, at).reshape(len(rows), tiles)
            at += width * len(rows) * tiles
    whole += bases[:, None]
    return whole, at
