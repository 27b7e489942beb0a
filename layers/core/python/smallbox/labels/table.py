"""The table of labelled predictions, and which of its days are settled."""

from smallbox.define.rules import Label
from smallbox.lake.names import SETTLES_FROM
from smallbox.ports import Between
from smallbox.times import DAY, Micros


def settled_days(label: Label, as_of: Micros, days: int = 1, before: int = 0) -> Between:
    """The newest days whose attribution windows are all over by ``as_of``: the days that a coverage is of.

    Args:
        label: whose window.
        as_of: the moment.
        days: how many days.
        before: so many of them, the newest, are left out.
    """
    end = (as_of - label.within_micros) // DAY * DAY
    return Between(SETTLES_FROM, end - days * DAY, end - before * DAY)
