"""Tiles: which sizes a feature view keeps, and how large its states can become."""

from collections.abc import Collection, Mapping
from typing import Final

from smallbox.define.aggregates import Aggregate, AggregateKind
from smallbox.define.source import FUTURE_LIMIT
from smallbox.times import DAY, HOUR, Micros

STATE_LIMIT: Final = 390_000
"""Maximum size of an encoded state in bytes: a DynamoDB item has at most 400 KB, key included.

A view whose states could exceed it is rejected. A state that still grows beyond it is set aside; see
``smallbox.features.online.states``.
"""

_BYTES: Final[Mapping[AggregateKind, int]] = {
    "count": 8, "sum": 24, "mean": 24, "rate": 16, "std": 56, "min": 8, "max": 8, "last": 24, "first": 24,
    "since_last": 24, "distinct": 1032,
}  # fmt: skip
"""Maximum bytes of an aggregate in one tile."""

_INDEX_BYTES: Final = 8
_LEVEL_BYTES: Final = 32
_COLUMN_TILES: Final = 2
"""The column headers of a level take 9 bytes per 8 bytes of a tile, so less than two tiles."""


def tile_size_of(window: Micros, fine: Micros) -> Micros:
    """Length of the tiles at whose edge a window starts, by the window's length.

    Below 12 hours: the fine tile; below 10 days: one hour; otherwise: one day.

    >>> tile_size_of(24 * HOUR, fine=300_000_000) == HOUR
    True
    """
    if window < 12 * HOUR:
        return fine
    return HOUR if window < 10 * DAY else DAY


def tile_sizes_of(aggregates: Collection[Aggregate], fine: Micros) -> tuple[Micros, ...]:
    """The tile sizes that a state keeps, ascending: those of its windows, and the finer ones that fill up to an end."""
    coarsest = max((tile_size_of(a.window_micros, fine) for a in aggregates), default=fine)
    return tuple(sorted({size for size in (fine, HOUR, DAY) if size <= coarsest}))


def max_state_bytes(aggregates: Collection[Aggregate], fine: Micros, known_after: Micros) -> int:
    """Maximum size of a state in bytes.

    Args:
        aggregates: the features of the view.
        fine: length of the fine tile.
        known_after: declared delay of the source; negative when records are known ahead of time.
    """
    measures = {(a.kind, a.operand) for a in aggregates}
    tile_bytes = _INDEX_BYTES + sum(_BYTES[kind] for kind, _ in measures)
    ahead = -known_after if known_after < 0 else min(known_after, FUTURE_LIMIT)
    sizes = tile_sizes_of(aggregates, fine)
    tiles = [_max_tiles(aggregates, sizes, at, ahead) for at in range(len(sizes))]
    return sum(_LEVEL_BYTES + (count + _COLUMN_TILES) * tile_bytes for count in tiles)


def _max_tiles(aggregates: Collection[Aggregate], sizes: tuple[Micros, ...], at: int, ahead: Micros) -> int:
    """Maximum number of tiles of one size: those of windows or of one coarser tile, and those ahead of now."""
    size, fine = sizes[at], sizes[0]
    own = max((a.window_micros for a in aggregates if tile_size_of(a.window_micros, fine) == size), default=0)
    coarser = sizes[at + 1] if at + 1 < len(sizes) else 0
    return (max(own, coarser) + ahead) // size + 2
