"""Day streams as bytes, and one history from several parts."""

import io
from collections.abc import Mapping
from typing import Final

from smallbox.arrays import np
from smallbox.statistics.day_streams import DayStreams, DayValue, day_streams

DAYS_KEPT: Final = 430
"""Older days are dropped, so a check costs the same however long a model has served. The same season a year ago is
kept, also for a change that began two months before its alarm."""


def streams_to_bytes(streams: DayStreams) -> bytes:
    """Encode days, names, values and variances as a numpy file."""
    variances = np.full(streams.values.shape, np.nan) if streams.variances is None else streams.variances
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        days=np.array(streams.days, np.int64),
        names=np.array(streams.names, np.str_),
        values=streams.values,
        variances=variances,
    )
    return buffer.getvalue()


def streams_from_bytes(content: bytes) -> DayStreams:
    """The inverse of :func:`streams_to_bytes`."""
    with np.load(io.BytesIO(content), allow_pickle=False) as stored:
        return DayStreams(stored["days"].tolist(), stored["names"].tolist(), stored["values"], stored["variances"])


def with_day(streams: DayStreams, day: int, numbers: Mapping[str, DayValue]) -> DayStreams:
    """A history with a day added, or replaced when it has that day already; the newest ``DAYS_KEPT`` days.

    >>> empty = day_streams({})
    >>> with_day(with_day(empty, 7, {"a": DayValue(1.0, 0.1)}), 7, {"a": DayValue(2.0, 0.1)}).values.tolist()
    [[2.0]]
    """
    known = {**_by_day(streams), day: numbers}
    return day_streams({one: known[one] for one in sorted(known)[-DAYS_KEPT:]})


def _by_day(streams: DayStreams) -> dict[int, Mapping[str, DayValue]]:
    variances = np.full(streams.values.shape, np.nan) if streams.variances is None else streams.variances
    return {
        day: {
            name: DayValue(float(value), float(variance))
            for name, value, variance in zip(streams.names, values, spreads, strict=True)
            if value == value  # noqa: PLR0124 - a missing number is unlike itself
        }
        for day, values, spreads in zip(streams.days, streams.values, variances, strict=True)
    }
