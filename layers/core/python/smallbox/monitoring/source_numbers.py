"""The numbers of a source's day that a change is found in: its volume, and shares of its records."""

import math

from smallbox.monitoring.check_rules import SourceDayStats
from smallbox.statistics.day_streams import DayValue
from smallbox.statistics.profile_numbers import share_number


def source_numbers(name: str, day: SourceDayStats) -> dict[str, DayValue]:
    """One number for each stream of a source.

    The volume is a logarithm, so half and double are equally far.

    Args:
        name: the source's.
        day: its figures.
    """
    received = day.accepted + day.quarantined
    return {
        f"{name}:volume": DayValue(math.log1p(day.accepted), math.nan),
        f"{name}:rejected": share_number(day.quarantined, received),
        f"{name}:repeated": share_number(day.repeated, day.accepted + day.repeated),
        f"{name}:late": share_number(day.late, day.accepted),
    }
