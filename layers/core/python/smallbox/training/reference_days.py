"""The reference of a version by day of its dataset, beside the profile of the whole."""

from collections.abc import Mapping

import numpy as np

from smallbox.arrays import Array, Bools, Floats, Ints
from smallbox.define.model import Model
from smallbox.objectives.objective import Scored
from smallbox.profiles.building import Values, by_period, layout_of_values
from smallbox.profiles.column_pairs import ColumnPairs, important_pairs
from smallbox.profiles.columns import input_values
from smallbox.profiles.profile import merged_profiles
from smallbox.profiles.stored import LABEL_COLUMN, LOSS_COLUMN, ReferenceDays
from smallbox.times import DAY, Micros
from smallbox.training.examples import Examples


def reference_days(
    model: Model, examples: Examples, validation: Bools, scored: Scored, importance: Mapping[str, float]
) -> ReferenceDays:
    """The profiles of the days of a dataset, without personal inputs, whose values no profile may hold.

    The pairs that are watched together are those of the most important inputs that are numbers.

    Args:
        model: whose inputs and outputs.
        examples: every row.
        validation: which rows are those of ``scored``, in its order.
        scored: the validation rows with the candidate's outputs.
        importance: by input the rise of the mean loss when it is shuffled.
    """
    values = _values(model, examples, validation, scored)
    layout = layout_of_values(values)
    days = by_period(layout, values, examples.times, None, DAY)
    pairs = important_pairs(layout.only(model.shown_columns.names.__contains__), importance)
    watched = ColumnPairs(merged_profiles(layout, days.values()), pairs)
    pair_days = {begin: watched.sums(_of_day(values, watched, examples.times, begin)) for begin in days}
    return ReferenceDays(layout, days, importance, pairs, pair_days if pairs else {})


def _of_day(values: Values, watched: ColumnPairs, times: Ints, begin: Micros) -> Values:
    rows = np.flatnonzero(times // DAY == begin // DAY)
    return {name: np.asarray(values[name])[rows] for name in watched.layout.columns}


def _values(model: Model, examples: Examples, validation: Bools, scored: Scored) -> Values:
    rows = np.flatnonzero(validation)
    losses = model.objective.losses(scored)
    outputs: dict[str, Array] = {
        name: _at(len(examples), rows, one) for name, one in zip(model.objective.outputs, scored.outputs.T, strict=True)
    }
    return {
        **input_values(model.shown_columns, examples.by_column),
        **outputs,
        LABEL_COLUMN: examples.labels,
        LOSS_COLUMN: _at(len(examples), rows[losses.rows], losses.values),
    }


def _at(size: int, rows: Array, values: Floats) -> Floats:
    """A column with values at some rows, and none elsewhere."""
    column = np.full(size, np.nan)
    column[rows] = values
    return column
