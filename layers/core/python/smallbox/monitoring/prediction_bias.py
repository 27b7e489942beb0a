"""Prediction bias: the mean prediction less the mean label, by version and slice."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from smallbox.arrays import Array
from smallbox.monitoring.observed_rows import ObservedRows
from smallbox.objectives.objective import Objective, Scored
from smallbox.statistics.intervals import Interval, clustered_interval


@dataclass(frozen=True, slots=True)
class PredictionBias:
    """The bias of one slice.

    Attributes:
        slice_name: the slice's value, such as a version's number.
        rows: its labelled rows.
        bias: mean prediction less mean label, its bounds clustered by day.
    """

    slice_name: str
    rows: int
    bias: Interval

    @property
    def is_certain(self) -> bool:
        """Whether the bounds leave out 0."""
        return self.bias.low > 0 or self.bias.high < 0


def prediction_biases(
    objective: Objective, rows: ObservedRows, slices: Mapping[str, Array], min_rows: int = 50
) -> list[PredictionBias]:
    """The bias of all rows, then of each value of each slice, the largest first.

    Args:
        objective: says what of the outputs and labels agrees when a model is calibrated.
        rows: labelled or not; only labelled rows count.
        slices: by name, such as ``version`` or ``origin``, the value of each row, ``(n,)``.
        min_rows: slices with fewer labelled rows are left out.
    """
    known = ~np.isnan(rows.labels)
    labelled = rows.labelled
    scored = Scored(labelled.outputs, labelled.labels, np.zeros(len(labelled), np.int64))
    predicted, happened = objective.agreement(scored)
    gaps, found = predicted - happened, []
    for name, values in slices.items():
        own = values[known].astype(str)
        for value in np.unique(own):
            mask = own == value
            if mask.sum() >= min_rows:
                bias = clustered_interval(gaps[mask], labelled.days[mask])
                found.append(PredictionBias(f"{name}={value}", int(mask.sum()), bias))
    found.sort(key=lambda one: -abs(one.bias.value))
    if len(gaps) < min_rows:
        return found
    return [PredictionBias("all", len(gaps), clustered_interval(gaps, labelled.days)), *found]
