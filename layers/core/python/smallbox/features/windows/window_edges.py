"""Where windows begin and end, and which tiles cover them.

For an aggregate over ``window`` of a view with fine tiles of ``tile``, asked at ``as_of``::

    end   = as_of - known_after of the source (if that is positive), rounded down to a whole tile
    start = end rounded down to a whole tile_size(aggregate), minus window

A record counts if ``start <= time < end`` and it was known at ``as_of``. Two consequences:

* staleness: events of the newest, incomplete ``tile`` do not count yet;
* the window is between ``window`` and ``window + tile_size`` long: exact below 12 hours, up to an hour longer to
  10 days, up to a day longer from there on.

With a declared ``known_after``, every record in the window is known at ``as_of``, so the stream may add records
before they are known. Both engines use this module.
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

CLOCK_SKEW: Final[Micros] = HOUR
"""Allowance for clock skew between two workers; far more than it ever is."""


def last_edge(moment: Moments, size: Micros) -> Moments:
    """The start of the tile of that size that contains a moment; element-wise for an array.

    >>> last_edge(7, 5), last_edge(-1, 5)
    (5, -5)
    """
    return moment // size * size


def end_of(view: FeatureView, as_of: Moments) -> Moments:
    """The exclusive end of all windows of a view at ``as_of``."""
    return last_edge(as_of - max(view.source.known_after_micros or 0, 0), view.tile_micros)


@lru_cache(maxsize=256)
def windows(view: FeatureView) -> tuple[tuple[Micros, Micros], ...]:
    """The distinct windows of a view, each as (length, size of the tiles that its start is aligned to)."""
    found = {(a.window_micros, view.tile_size(a)) for a in view.features.values()}
    return tuple(sorted(found))


def start_of(window: tuple[Micros, Micros], end: Moments) -> Moments:
    """The start of a window of (length, tile size) that ends at ``end``, which is aligned to the fine tiles.

    >>> start_of((24 * HOUR, HOUR), 30 * HOUR + HOUR // 2) == 6 * HOUR
    True
    """
    length, size = window
    return last_edge(end, size) - length


@lru_cache(maxsize=256)
def max_lead(source: Source) -> Micros:
    """How far ahead of its watermark a state keeps records; see docs/decisions/0018-far-ahead-records-wait.md.

    For a source with ``known_after``, the contract rejects records further ahead. For a source without, such records
    stay out of the states until a rebuild adds them; see :mod:`smallbox.messages.rebuilds`.
    """
    return max(-(source.known_after_micros or 0), 0) + FUTURE_LIMIT + CLOCK_SKEW


def advance_watermark(
    source: Source, watermark: Micros, records: Sequence[Record], now: Micros
) -> tuple[Micros, Sequence[Record]]:
    """The watermark after adding records of ``source``, and those records that are not too far ahead of it to keep."""
    after = max(watermark, *(min(record.known_at, now) for record in records))
    return after, [record for record in records if record.time < after + max_lead(source)]


def kept_since(view: FeatureView, watermark: Micros) -> Sequence[Micros]:
    """For each level, the moment from which questions with ``as_of >= watermark`` need its tiles."""
    end = end_of(view, watermark)
    sizes = view.tile_sizes
    since = []
    for at, size in enumerate(sizes):
        own = [start_of(window, end) for window in windows(view) if window[1] == size]
        fills = [last_edge(end, sizes[at + 1])] if at + 1 < len(sizes) else []
        since.append(min(own + fills))
    return since


@lru_cache(maxsize=256)
def window_reach(view: FeatureView) -> Micros:
    """The maximum age of a record that counts: ``as_of`` minus its event time."""
    delay = max(view.source.known_after_micros or 0, 0)
    return delay + view.tile_micros + max((length + size for length, size in windows(view)), default=0)
