"""Where windows begin and end, and which tiles cover them.

The rule, for an aggregate over ``window`` of a view with fine tiles of ``tile``, asked at ``as_of``::

    end   = as_of - known_after of the source (if that is positive), rounded down to a whole tile
    start = end rounded down to a whole tile_size(aggregate), minus window

A record counts when ``start <= time < end`` and it was known at ``as_of``. So the newest ``tile`` of events that
could be known may not count yet (the staleness), and the window is between ``window`` and ``window + tile_size``
long: exact below 12 hours, up to an hour longer to 10 days, up to a day longer from there on. With a declared
``known_after``, whatever lies in the window is known: the stream may add records before they are.
Both engines use this module.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final, TypeVar

from smallbox.arrays import Ints
from smallbox.define.source import FUTURE_LIMIT, Source
from smallbox.define.view import FeatureView
from smallbox.records import Record
from smallbox.times import HOUR, Micros

Moments = TypeVar("Moments", int, Ints)

CLOCKS: Final[Micros] = HOUR
"""Far more than the clocks of two workers differ."""


def floor(moment: Moments, size: Micros) -> Moments:
    """The start of the tile of that size in which a moment, or each of an array, lies.

    >>> floor(7, 5), floor(-1, 5)
    (5, -5)
    """
    return moment // size * size


def end_of(view: FeatureView, as_of: Moments) -> Moments:
    """Where all windows of a view end."""
    return floor(as_of - max(view.source.known_after_micros or 0, 0), view.tile_micros)


@lru_cache(maxsize=256)
def windows(view: FeatureView) -> tuple[tuple[Micros, Micros], ...]:
    """The distinct windows of a view, each as (its length, the tile size on whose edge it starts)."""
    found = {(a.window_micros, view.tile_size(a)) for a in view.features.values()}
    return tuple(sorted(found))


def start_of(window: tuple[Micros, Micros], end: Moments) -> Moments:
    """Where a window of (length, tile size) starts that ends at ``end``, a whole fine tile.

    >>> start_of((24 * HOUR, HOUR), 30 * HOUR + HOUR // 2) == 6 * HOUR
    True
    """
    length, size = window
    return floor(end, size) - length


@lru_cache(maxsize=256)
def ahead(source: Source) -> Micros:
    """How far ahead of its watermark a state keeps records; see docs/decisions/0018-far-ahead-records-wait.md.

    The contract accepts no record of a source with ``known_after`` that lies further ahead than this. Of one without,
    records further ahead are left out of the states, until a rebuild puts them in; see
    :mod:`smallbox.messages.rebuilds`.
    """
    return max(-(source.known_after_micros or 0), 0) + FUTURE_LIMIT + CLOCKS


def near(source: Source, watermark: Micros, records: Sequence[Record], now: Micros) -> tuple[Micros, Sequence[Record]]:
    """The watermark of a state after records of ``source`` were added, and those that are near enough to be kept."""
    after = max(watermark, *(min(record.known_at, now) for record in records))
    return after, [record for record in records if record.time < after + ahead(source)]


def kept_since(view: FeatureView, watermark: Micros) -> Sequence[Micros]:
    """For each level, the moment before which no question at ``as_of >= watermark`` needs its tiles."""
    end = end_of(view, watermark)
    sizes = view.tile_sizes
    since = []
    for at, size in enumerate(sizes):
        own = [start_of(window, end) for window in windows(view) if window[1] == size]
        fills = [floor(end, sizes[at + 1])] if at + 1 < len(sizes) else []
        since.append(min(own + fills))
    return since


@lru_cache(maxsize=256)
def window_reach(view: FeatureView) -> Micros:
    """How far before ``as_of`` the event time of a record that counts can lie, at the most."""
    delay = max(view.source.known_after_micros or 0, 0)
    return delay + view.tile_micros + max((length + size for length, size in windows(view)), default=0)
