"""What a join changes of the stored rows: settled ones stay as decisions used them, and equal ones are not written."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.arrays import Bools, Ints
from smallbox.labels.join import ASKED_LATE, LABELLED, UNLABELLED
from smallbox.ports import Between
from smallbox.table_columns import JOINED_AS_OF, LABEL_COLUMNS, SETTLES_FROM
from smallbox.times import DAY, Micros

CLOSES = "closes"
"""A column of joined rows while they are joined: the end of the attribution window. It is not stored."""


@dataclass(frozen=True, slots=True)
class Settled:
    """The rows of a range after a join.

    Attributes:
        rows: what the table is to hold.
        seen: the rows as this join has them: a later join's are not among them.
        touched: whether the table lacks a row of ``rows``, or holds one in its place that is not among them.
        left: the ``settles_from`` of rows that the table has and is to lose.
    """

    rows: pa.Table
    seen: pa.Table
    touched: Bools
    left: Ints


def settled(joined: pa.Table, before: pa.Table | None, as_of: Micros, judged: Micros = 0) -> Settled:
    """Lay the rows of a join over the stored ones.

    A stored row stays when a later join wrote it; when its window was over as it was written, whatever is known by now
    (see :mod:`smallbox.feedback.restatements`); and when nothing about it changed.

    Args:
        joined: each prediction of the range once, with its label as of ``as_of``, and ``closes``.
        before: the stored rows of the range; ``None`` when there is no table.
        as_of: the moment of the join, microseconds.
        judged: the latest moment up to which labels were joined before: what was over by then may have been judged.
    """
    closes = joined[CLOSES].to_numpy()
    joined = joined.drop_columns([CLOSES]).append_column(JOINED_AS_OF, pa.array(np.full(len(joined), as_of, np.int64)))
    if before is None or not before.num_rows or JOINED_AS_OF not in before.column_names:
        return Settled(joined, joined, np.ones(len(joined), bool), np.empty(0, np.int64))
    both = pa.concat_tables([joined, before], promote_options="permissive").combine_chunks()
    place = pc.index_in(joined["id"].combine_chunks(), value_set=before["id"].combine_chunks())
    is_stored, stored = np.asarray(pc.is_valid(place)), np.asarray(pc.fill_null(place, 0), np.int64) + len(joined)
    written = before[JOINED_AS_OF].to_numpy()
    is_later, own = np.full(len(joined), False), np.arange(len(joined))
    is_later[is_stored] = written[stored[is_stored] - len(joined)] > as_of
    stays = is_stored & ~is_later
    stays[stays] = _stays(both, own[stays], stored[stays], closes[stays] <= judged)
    seen, kept = np.where(stays, stored, own), np.where(stays | is_later, stored, own)
    others = np.flatnonzero(~np.isin(np.arange(len(before)), stored[is_stored] - len(joined)))
    later_others = others[written[others] > as_of]
    rows = both.take(pa.array(np.concatenate([kept, later_others + len(joined)])))
    touched = np.concatenate([kept == own, np.full(len(later_others), False)])
    gone = before[SETTLES_FROM].to_numpy()[others[written[others] <= as_of]]
    return Settled(rows, both.take(pa.array(seen)), touched, gone)


def _stays(both: pa.Table, own: Ints, stored: Ints, was_judged: Bools) -> Bools:
    """Whether the stored row of each pair is settled, or equal to the new one."""
    ours, theirs = both.take(pa.array(own)), both.take(pa.array(stored))
    status = theirs["status"].to_numpy(zero_copy_only=False)
    equal = np.ones(len(own), bool)
    for name in (name for name in LABEL_COLUMNS if name in both.column_names and name != JOINED_AS_OF):
        equal &= _equal(ours[name], theirs[name])
    found: Bools = equal | (status == UNLABELLED) | (status == ASKED_LATE) | ((status == LABELLED) & was_judged)
    return found


def _equal(ours: pa.ChunkedArray, theirs: pa.ChunkedArray) -> Bools:
    """Whether two values of each pair are equal; two nulls are."""
    alike = pc.fill_null(pc.equal(ours, theirs), fill_value=False)
    return np.asarray(pc.or_(alike, pc.and_(pc.is_null(ours), pc.is_null(theirs))).to_numpy(zero_copy_only=False))


def touched_ranges(found: Settled, span: Between) -> Sequence[Between]:
    """The days of ``settles_from`` with a row that changed, adjacent ones together, within the range of the join."""
    moments = np.concatenate([found.rows[SETTLES_FROM].to_numpy()[found.touched], found.left])
    days = np.unique(moments // DAY)
    runs = np.split(days, np.flatnonzero(np.diff(days) > 1) + 1) if len(days) else []
    edges = ((int(run[0]) * DAY, (int(run[-1]) + 1) * DAY) for run in runs)
    return [Between(span.column, max(start, span.start), min(end, span.end)) for start, end in edges]
