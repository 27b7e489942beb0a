"""Prediction bias: the mean prediction less the mean label."""

from smallbox.arrays import Ints
from smallbox.objectives.objective import Objective, Scored
from smallbox.statistics.intervals import NOTHING, Interval, clustered_interval


def prediction_bias(objective: Objective, scored: Scored, days: Ints) -> Interval:
    """By how much predictions lie above what happened, on average; 0 lies within the bounds of a calibrated model.

    Args:
        objective: says what of the outputs and labels agrees when a model is calibrated.
        scored: labelled rows.
        days: ``(n,)`` the day of each row; the bounds are clustered by day.
    """
    predicted, happened = objective.agreement(scored)
    return clustered_interval(predicted - happened, days) if len(scored) else NOTHING
