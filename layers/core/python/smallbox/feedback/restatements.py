"""Restatements: what late and corrected outcomes say of predictions that are settled.

A settled row keeps the label that decisions used. What becomes known of it later is a row of ``restated/<model>``.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.arrays import Bools
from smallbox.define.rules import Label
from smallbox.labels.join import LABELLED, UNLABELLED, Versions, matched_by
from smallbox.lake.schemas import ARROW_TYPES, restated_schema
from smallbox.table_columns import JOINED_AS_OF, LABEL_COLUMNS
from smallbox.times import Micros


@dataclass(frozen=True, slots=True)
class Since:
    """The outcomes of a join: those that became known or were received after ``start``, by ``as_of``."""

    start: Micros
    as_of: Micros

    def is_new(self, outcomes: pa.Table) -> Bools:
        """Which versions of outcomes are new."""
        known, received = (outcomes[name].to_numpy() for name in ("known_at", "received_at"))
        moments = (known > self.start) | ((received > self.start) & (received <= self.as_of))
        found: Bools = moments & (known <= self.as_of)
        return found


RESTATABLE: Final = (LABELLED, UNLABELLED)


def restatements(label: Label, rows: pa.Table, outcomes: pa.Table, since: Since) -> pa.Table:
    """The rows whose last outcome says something else than what was said before.

    Args:
        label: their label.
        rows: stored labelled predictions of this label whose windows are over.
        outcomes: every version of their outcomes, in order.
        since: which of these are new.

    Returns:
        ``RESTATED_COLUMNS``: the new value, null where the outcome was retracted, and when it became known.
    """
    column = label.objective.label_column
    rows = rows.filter(pc.is_in(rows["status"], value_set=pa.array(RESTATABLE)))
    outcomes = outcomes.filter(pc.less_equal(outcomes["known_at"], since.as_of))
    is_new = since.is_new(outcomes)
    last = _last(label, rows, outcomes)
    closes = rows["event_time"].to_numpy() + label.within_micros
    seen = _last(label, rows, outcomes.filter(pa.array(~is_new)))
    was_over = np.asarray(pc.fill_null(pc.greater(seen["known_at"], pa.array(closes)), fill_value=False))
    said = pc.if_else(pa.array(was_over), _value(label, seen), rows[column].combine_chunks())
    now = _value(label, last)
    asked_before = np.asarray(
        pc.fill_null(pc.greater(last["known_at"], rows["time"].combine_chunks()), fill_value=False)
    )
    differs = asked_before & ~_alike(now, said)
    names = ("id", "key", "time", "event_time", "version")
    found = pa.table({name: rows[name] for name in names})
    found = found.append_column("restated_at", last["known_at"])
    found = found.append_column(column, now.cast(ARROW_TYPES[LABEL_COLUMNS[column]]))
    found = found.append_column(JOINED_AS_OF, pa.array(np.full(len(rows), since.as_of, np.int64)))
    found = found.filter(pa.array(differs))
    return pa.concat_tables([restated_schema().empty_table(), found], promote_options="permissive")


def _last(label: Label, rows: pa.Table, outcomes: pa.Table) -> pa.Table:
    """The last version of each row's outcome; null where there is none."""
    own, theirs = matched_by(label, rows)
    versions = Versions(outcomes[theirs], outcomes["known_at"].to_numpy(), rows[own])
    at = versions.known_by(np.full(len(rows), np.iinfo(np.int64).max - 1))
    columns = {
        name: outcomes[source].combine_chunks().take(at)
        for name, source in (("value", label.value), ("known_at", "known_at"))
    }
    return pa.table(columns).combine_chunks()


def _value(label: Label, found: pa.Table) -> pa.Array:
    """What an outcome makes of the label: without one it is what the definition says of silence."""
    column = found["value"].combine_chunks()
    return column if label.otherwise is None else pc.fill_null(column, pa.scalar(label.otherwise, column.type))


def _alike(ours: pa.Array, theirs: pa.Array) -> Bools:
    both = pc.and_(pc.is_null(ours), pc.is_null(theirs))
    return np.asarray(pc.or_(pc.fill_null(pc.equal(ours, theirs), fill_value=False), both))
