"""The table of labelled predictions: its columns, and the days whose labels are final."""

import functools
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.arrays import Floats, Ints
from smallbox.define.rules import Label
from smallbox.objectives.objective import Objective, Scored
from smallbox.ports import Between
from smallbox.table_columns import GROUP, INTERLEAVING, SETTLES_FROM
from smallbox.times import DAY, Micros


def scored_columns(objective: Objective) -> tuple[str, ...]:
    """The columns of labelled predictions that :func:`scored_rows` reads."""
    return (*objective.outputs, objective.label_column, *((GROUP,) if objective.group else ()))


def judged_columns(objective: Objective) -> tuple[str, ...]:
    """The :func:`scored_columns`, and what :func:`of_one_version` reads."""
    return (*scored_columns(objective), *((INTERLEAVING,) if objective.group else ()))


def scored_rows(objective: Objective, rows: pa.Table) -> Scored:
    """The outputs and labels of labelled predictions of one objective.

    Args:
        objective: that of the versions that answered.
        rows: with the :func:`scored_columns`, no label null.
    """
    outputs = [rows[name].to_numpy().astype(float) for name in objective.outputs]
    labels = encoded_labels(objective, rows[objective.label_column])
    return Scored(np.column_stack(outputs), labels, group_numbers(objective, rows))


def of_objective(objective: Objective, rows: pa.Table) -> pa.Array:
    """Which labelled predictions have outputs and a label of this objective: versions of another one have others.

    A row for which the model gave no number has none.
    """
    return functools.reduce(
        pc.and_, (pc.invert(pc.is_null(rows[name], nan_is_null=True)) for name in scored_columns(objective))
    )


def of_one_version(rows: pa.Table) -> pa.Table:
    """The rows without those of interleaved lists: such a group has rows of two versions, and no order of either."""
    return rows.filter(pc.is_null(rows[INTERLEAVING])) if INTERLEAVING in rows.column_names else rows


def encoded_labels(objective: Objective, labels: pa.ChunkedArray) -> Floats:
    """Labels, none of them null, as the objective's numbers."""
    return objective.encoded(np.asarray(labels.to_numpy(zero_copy_only=False)))


def group_numbers(objective: Objective, rows: pa.Table) -> Ints:
    """The number of each row's group; all 0 for an objective without groups."""
    if not objective.group:
        return np.zeros(rows.num_rows, np.int64)
    names: Sequence[str] = pc.unique(rows[GROUP])
    return np.asarray(pc.index_in(rows[GROUP].combine_chunks(), value_set=names), np.int64)


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
