"""The records of a source that became known on a day, and in the days before it."""

from collections import Counter
from collections.abc import Collection, Mapping

import numpy as np

from smallbox.arrays import Ints
from smallbox.define.source import Source
from smallbox.lake.history import history
from smallbox.lake.names import records_table
from smallbox.lake.spans import spans_of
from smallbox.monitoring.check_rules import SourceDayStats, newest_age
from smallbox.ports import Between, Lake
from smallbox.times import DAY, WEEK, Micros

_COLUMNS = ("key", "time", "known_at", "received_at", "digest")


def arrivals_of(
    lake: Lake,
    source: Source,
    quarantined: int,
    as_of: Micros,
    rules: Mapping[str, int] | None = None,
    left_out: Collection[int] = (),
) -> SourceDayStats:
    """The figures of the day before ``as_of``; a record that was sent again is counted once.

    Args:
        lake: the records.
        source: the source.
        quarantined: how many of its records were rejected on the day.
        as_of: the end of the day.
        rules: how many of these broke which rule.
        left_out: days that say nothing of what is usual, days since 1970-01-01.
    """
    start, table, days, ages = as_of - DAY, records_table(source), Counter[int](), []
    # a record that became known earlier cannot be within the freshness
    since = as_of - max(WEEK + DAY, source.freshness_micros or 0)
    known, today, repeated, late = Between("known_at", since, as_of), 0, 0, 0
    moments = (rows["known_at"].to_numpy() for rows in lake.slices(table, between=known, columns=["known_at"]))
    # repetitions of a record have the same known_at, so they are in the same range
    for span in spans_of(moments, known):
        rows = lake.read(table, _COLUMNS, span)
        if rows is None:
            continue
        versions = history(rows)
        known_at, times = versions["known_at"].to_numpy(), versions["time"].to_numpy()
        is_today = known_at >= start
        today += int(is_today.sum())
        repeated += int((rows["known_at"].to_numpy() >= start).sum()) - int(is_today.sum())
        late += int((versions["received_at"].to_numpy() - known_at > source.lateness_micros)[is_today].sum())
        days += _days_before(known_at, start, left_out)
        age = newest_age(source, times, known_at, as_of)
        ages += [] if age is None else [age]
    usual = 0.0 if start // DAY in left_out else days.total() / max(len(days), 1)
    return SourceDayStats(today, quarantined, usual, min(ages, default=None), repeated, late, rules or {})


def _days_before(known_at: Ints, start: Micros, left_out: Collection[int]) -> Counter[int]:
    """How many records became known on each of the seven days before, without those left out."""
    before = known_at[(known_at < start) & (known_at >= start - WEEK)]
    numbers, counts = np.unique(before // DAY, return_counts=True)
    counted = zip(numbers.tolist(), counts.tolist(), strict=True)
    return Counter({number: count for number, count in counted if number not in left_out})
