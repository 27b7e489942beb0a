"""The reference of a version by day of its dataset, beside the profile of the whole."""

import numpy as np

from smallbox.arrays import Array, Bools, Floats
from smallbox.define.model import Model
from smallbox.objectives.objective import Scored
from smallbox.profiles.building import Values, by_period, layout_of_values
from smallbox.profiles.columns import input_values
from smallbox.profiles.stored import LABEL_COLUMN, LOSS_COLUMN, ReferenceDays
from smallbox.times import DAY
from smallbox.training.examples import Examples


def reference_days(model: Model, examples: Examples, validation: Bools, scored: Scored) -> ReferenceDays:
    """The profiles of the days of a dataset, without personal inputs, whose values no profile may hold.

    Args:
        model: whose inputs and outputs.
        examples: every row.
        validation: which rows are those of ``scored``, in its order.
        scored: the validation rows with the candidate's outputs.
    """
    values = _values(model, examples, validation, scored)
    layout = layout_of_values(values)
    return ReferenceDays(layout, by_period(layout, values, examples.times, None, DAY))


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
