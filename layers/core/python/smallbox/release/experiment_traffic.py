"""The recent traffic of a model as the units of an experiment that had run in it."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.arrays import Floats, Ints
from smallbox.release.experiment_columns import UnitRequests, first_of_each_unit
from smallbox.times import DAY, Micros

LOOK_BACK: Final[Micros] = 28 * DAY
"""How far back a plan looks: whole weeks, to average out weekdays."""

_LAST_DAYS: Final = 7
"""The days whose new units are taken to come on after the traffic that was seen."""


@dataclass(frozen=True, slots=True, eq=False)
class RecentUnits:
    """The units that asked in a period, each by its first request in it.

    Attributes:
        rows: ``unit``, ``key``, ``time``, ``version``, ``arm`` and ``covariate`` of these requests.
        new_by_day: how many units asked for the first time on each day of the period.
    """

    rows: pa.Table
    new_by_day: Ints

    def days_until(self, units: float) -> float:
        """In how many days an experiment would have met so many units; infinite where it never would.

        The units come as they came in the period, which begins, like an experiment, with knowing nobody; after it as
        on the last days of it.
        """
        seen = np.concatenate(([0.0], self.new_by_day.cumsum()))
        if units <= seen[-1]:
            reached: Floats = np.interp([units], *_rising(seen))
            return float(reached[0])
        rate = float(self.new_by_day[-_LAST_DAYS:].mean()) if len(self.new_by_day) else 0.0
        return len(self.new_by_day) + (units - seen[-1]) / rate if rate else np.inf


def _rising(seen: Floats) -> tuple[Floats, Floats]:
    """The first day on which each number of units was reached."""
    values, first = np.unique(seen, return_index=True)
    return values, first.astype(float)


def recent_units(requests: UnitRequests, as_of: Micros, window: Micros) -> RecentUnits:
    """The units of the last weeks; the period is longer than the window of the outcome by at least a week.

    It reads day by day and holds each unit once.
    """
    days = max(LOOK_BACK, (window // DAY + 1 + _LAST_DAYS) * DAY) // DAY
    start, kept = as_of - days * DAY, list[pa.Table]()
    counts = np.zeros(days, np.int64)
    for day in range(days):
        rows = requests.between(start + day * DAY, start + (day + 1) * DAY)
        first = first_of_each_unit(rows.filter(pc.not_equal(rows["arm"], "fallback")))
        for before in kept:
            first = first.filter(pc.invert(pc.is_in(first["unit"], value_set=before["unit"].combine_chunks())))
        kept.append(first)
        counts[day] = first.num_rows
    began = int(np.argmax(counts > 0))  # a model that is younger than the period has no earlier days
    return RecentUnits(pa.concat_tables(kept), counts[began:])
