"""Binary format of window states, little-endian.

A packed state is a header (format, fingerprint of the view's layout, watermark), then for each level:

* the number of tiles;
* the integer columns, frame-of-reference encoded: the minimum of each column, the byte width of each column's
  unsigned offsets from it (0, 1, 2, 4 or 8), then the offsets, grouped by width;
* the float columns, as float64;
* the codes of the sketches.
"""

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np

from smallbox.arrays import Ints
from smallbox.define.view import FeatureView
from smallbox.errors import NotReady
from smallbox.features.windows.measures import layout_of
from smallbox.features.windows.partial_aggregates import NEVER, Cells
from smallbox.features.windows.sketch import Sketches
from smallbox.features.windows.window_edges import windows
from smallbox.times import Micros

_FORMAT: Final = 3
_HEADER: Final = struct.Struct("<B8sq")
_COUNT: Final = struct.Struct("<I")
_TYPES: Final = {width: np.dtype(f"<u{width}") for width in (1, 2, 4, 8)}
_BASE: Final = np.dtype("<i8")
_FLOAT: Final = np.dtype("<f8")
_WIDTHS: Final = np.array((0, *_TYPES))
_LIMITS: Final = np.array([(1 << 8 * width) - 1 for width in _WIDTHS.tolist()], np.uint64)
"""The greatest offset of each width."""


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """The non-empty tiles of one size, in ascending order.

    Attributes:
        index: the number of each tile: tiles of its size since 1970.
        cells: the partial aggregates of each tile.
    """

    index: Ints
    cells: Cells


@dataclass(frozen=True, slots=True, eq=False)
class WindowState:
    """The online state of one entity.

    Attributes:
        watermark: the latest ``known_at`` of its records; questions with ``as_of`` from here on can be answered.
        levels: the tiles by size, finest first; see ``FeatureView.tile_sizes``.
    """

    watermark: Micros
    levels: tuple[Level, ...]


@lru_cache(maxsize=256)
def window_fingerprint(view: FeatureView) -> bytes:
    """Eight-byte hash of everything that gives a stored state its meaning: format, tiles, windows, measures, entity."""
    source = (view.source.name, view.source.known_after_micros)
    meaning = (_FORMAT, view.tile_sizes, windows(view), layout_of(view), view.entity_fields, source)
    return hashlib.blake2b(repr(meaning).encode(), digest_size=8).digest()


def pack_window(view: FeatureView, state: WindowState) -> bytes:
    """Serialize a state; equal states give equal bytes."""
    parts = [_HEADER.pack(_FORMAT, window_fingerprint(view), state.watermark)]
    for level, size in zip(state.levels, view.tile_sizes, strict=True):
        parts.append(_COUNT.pack(len(level.index)))
        if len(level.index):
            parts += _pack_columns(_whole_numbers(view, level, size))
            parts += [level.cells.tops.tobytes(), level.cells.values.tobytes()]
            parts += [sketch.codes.astype("<u2").tobytes() for sketch in level.cells.sketches]
    return b"".join(parts)


@lru_cache(maxsize=256)
def time_signs(view: FeatureView) -> Ints:
    """The sign of the event times of each latest value, shape ``(lasts, 1)``."""
    return np.array([end for end, _ in layout_of(view).lasts], dtype=np.int64)[:, None]


def _whole_numbers(view: FeatureView, level: Level, size: Micros) -> Ints:
    cells = level.cells
    # an offset from the start of the tile needs fewer bytes than a time since 1970
    since = np.where(cells.times == NEVER, -1, cells.times * time_signs(view) - level.index * size)
    counts = [np.diff(sketch.starts)[None] for sketch in cells.sketches]
    return np.concatenate((level.index[None], cells.adds, since, cells.ranks, *counts))


def _pack_columns(whole: Ints) -> list[bytes]:
    bases = np.minimum.reduce(whole, axis=1)
    tops = (np.maximum.reduce(whole, axis=1) - bases).view(np.uint64)
    widths = _WIDTHS[_LIMITS.searchsorted(tops)].tolist()
    since = (whole - bases[:, None]).view(np.uint64)
    parts = [bases.astype("<i8").tobytes(), bytes(widths)]
    used = ((width, kind) for width, kind in _TYPES.items() if width in widths)
    return parts + [since[_of(widths, width)].astype(kind).tobytes() for width, kind in used]


def _of(widths: Sequence[int], width: int) -> list[int]:
    return [at for at, own in enumerate(widths) if own == width]


def unpack_window(view: FeatureView, packed: bytes) -> WindowState:
    """The inverse of :func:`pack_window`.

    Raises:
        NotReady: if the state was packed for another definition of the view: run the backfill.
    """
    form, found, watermark = _HEADER.unpack_from(packed)
    if form != _FORMAT or found != window_fingerprint(view):
        raise NotReady(
            f"a state of view {view.name} was stored for another definition of it; run `smallbox backfill {view.name}`",
            view=view.name,
        )
    at, unpacked = _HEADER.size, []
    for size in view.tile_sizes:
        level, at = _unpack_level(view, packed, at, size)
        unpacked.append(level)
    return WindowState(watermark, tuple(unpacked))


def packed_watermark(packed: bytes) -> Micros:
    """The watermark of a packed state, also of one packed for another layout."""
    watermark: int = _HEADER.unpack_from(packed)[2]
    return watermark


def _unpack_level(view: FeatureView, packed: bytes, at: int, size: Micros) -> tuple[Level, int]:
    layout = layout_of(view)
    adds, tops, lasts = len(layout.adds), len(layout.tops), len(layout.lasts)
    tiles: int = _COUNT.unpack_from(packed, at)[0]
    at += _COUNT.size
    whole, at = _unpack_columns(packed, at, 1 + adds + 2 * lasts + len(layout.sketches), tiles)
    floats = np.frombuffer(packed, _FLOAT, (tops + lasts) * tiles, at).reshape(tops + lasts, tiles)
    index, since, ranks = whole[0], whole[1 + adds : 1 + adds + lasts], whole[1 + adds + lasts : 1 + adds + 2 * lasts]
    times = np.where(since < 0, NEVER, (since + index * size) * time_signs(view)) if lasts else since
    sketches, at = _unpack_sketches(packed, at + floats.nbytes, whole[1 + adds + 2 * lasts :])
    return Level(index, Cells(whole[1 : 1 + adds], floats[:tops], times, ranks, floats[tops:], sketches)), at


def _unpack_sketches(packed: bytes, at: int, counts: Ints) -> tuple[tuple[Sketches, ...], int]:
    sketches = []
    for sizes in counts:
        starts = np.concatenate(([0], np.cumsum(sizes)))
        codes = np.frombuffer(packed, _TYPES[2], int(starts[-1]), at)
        at += codes.nbytes
        sketches.append(Sketches(starts, codes))
    return tuple(sketches), at


@lru_cache(maxsize=4096)
def _stored_rows(widths: bytes) -> tuple[tuple[int, np.dtype[Any], int, Ints | slice], ...]:
    """By width that occurs, its type, how many rows have it, and these; a slice where they follow each other."""
    rows = ((width, kind, _of(widths, width)) for width, kind in _TYPES.items() if width in widths)
    return tuple((width, kind, len(own), _as_slice(own)) for width, kind, own in rows)


def _as_slice(rows: list[int]) -> Ints | slice:
    whole = slice(rows[0], rows[-1] + 1)
    return whole if len(rows) == whole.stop - whole.start else np.array(rows, np.int64)


def _unpack_columns(packed: bytes, at: int, columns: int, tiles: int) -> tuple[Ints, int]:
    whole = np.zeros((columns, tiles), np.int64)
    if not tiles:
        return whole, at
    bases = np.frombuffer(packed, _BASE, columns, at)
    widths = packed[at + 8 * columns : at + 9 * columns]
    at += 9 * columns
    for width, kind, count, rows in _stored_rows(widths):
        whole[rows] = np.frombuffer(packed, kind, count * tiles, at).reshape(count, tiles)
        at += width * count * tiles
    whole += bases[:, None]
    return whole, at
