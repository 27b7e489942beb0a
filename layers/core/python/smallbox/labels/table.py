"""The table of labelled predictions: its columns, and the days whose labels are final."""

from smallbox.define.rules import Label
from smallbox.ports import Between
from smallbox.table_columns import SETTLES_FROM
from smallbox.times import DAY, Micros


def settled_days(label: Label, as_of: Micros, days: int = 1, before: int = 0) -> Between:
    """The newest days whose attribution windows are all over by ``as_of``; label coverage is computed on these.

    Args:
        label: the label definition, with its attribution window.
        as_of: the moment, in microseconds.
        days: the number of days.
        before: how many of these, the newest, to leave out.
    """
    end = (as_of - label.within_micros) // DAY * DAY
    return Between(SETTLES_FROM, end - days * DAY, end - before * DAY)
