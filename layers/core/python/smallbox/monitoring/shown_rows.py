"""What a champion's answers have shown, day by day, with the labels that are known: for the check of feedback loops."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.define.rules import Label, Loop
from smallbox.monitoring.answered_rows import AnsweredRows
from smallbox.ports import Between
from smallbox.registry.version import Version
from smallbox.table_columns import GROUP, INTERLEAVING
from smallbox.times import DAY, Micros, day_of

LOOP_DAYS: Final = 90
"""A loop is looked for in so many days at most."""

_LISTS: Final = ("randomised", INTERLEAVING)
"""What the log of a ranking says of its lists."""


def shown_rows(
    rows: AnsweredRows, champion: Version, label: Label, loop: Loop | None, as_of: Micros, days: int = LOOP_DAYS
) -> Mapping[str, pa.Table]:
    """By day, what the champion's signature answered online; of a ranking also what the log says of its lists.

    Args:
        rows: the log and the labels.
        champion: the version that answers.
        label: what it predicts.
        loop: the columns that are meant; ``None``: none.
        as_of: the end of the last day.
        days: how many days back.
    """
    between = Between("time", as_of - days * DAY, as_of)
    wanted = [*label.objective.outputs, *([] if loop is None else [loop.item, loop.explored])]
    wanted += [GROUP, *_LISTS] if label.objective.group else []
    by_day: dict[str, list[pa.Table]] = defaultdict(list)
    for part in rows.parts(champion, label, between, wanted):
        numbers = part["time"].to_numpy() // DAY
        for day in np.unique(numbers).tolist():
            by_day[day_of(day * DAY)].append(part.filter(pc.equal(pa.array(numbers), day)))
    return {day: pa.concat_tables(parts) for day, parts in by_day.items()}
