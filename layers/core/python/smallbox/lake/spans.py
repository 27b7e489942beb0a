"""Cuts a range of a table into consecutive ranges of about as many rows each, to work on them one after another."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np
import pyarrow as pa

from smallbox.ports import Between, Lake
from smallbox.times import HOUR

ROWS_AT_ONCE: Final = 250_000
"""About how many rows the steps over the whole lake hold at once."""


def spans_of(
    lake: Lake, table: str, between: Between, most: int = ROWS_AT_ONCE, *, schema: pa.Schema | None = None
) -> list[Between]:
    """Consecutive ranges that make up a range, with at most about ``most`` rows each; the same ones for the same rows.

    They are cut at whole hours, so an hour with more rows is one range.

    Args:
        lake: has the table; without it, or without rows, there is one range.
        table: its name.
        between: the range of an int64 column.
        most: the number of rows.
        schema: columns that may be newer than every row.
    """
    hours = Counter[int]()
    for rows in lake.slices(table, between=between, columns=[between.column], schema=schema):
        found, counts = np.unique(rows[between.column].to_numpy() // HOUR, return_counts=True)
        hours.update(dict(zip(found.tolist(), counts.tolist(), strict=True)))
    edges = [between.start, *_cuts(hours, most), between.end]
    return [Between(between.column, *pair) for pair in pairwise(edges)]


def _cuts(hours: Counter[int], most: int) -> Sequence[int]:
    cuts, held = [], 0
    for hour, rows in sorted(hours.items()):
        if held and held + rows > most:
            cuts.append(hour * HOUR)
            held = 0
        held += rows
    return cuts
