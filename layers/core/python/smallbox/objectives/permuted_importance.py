"""How much a model relies on each input: the rise of its mean loss when the input is shuffled between rows."""

from collections.abc import Callable, Mapping

import numpy as np

from smallbox.arrays import Array, Floats, Ints
from smallbox.objectives.measure import loss_difference
from smallbox.objectives.objective import Objective, Scored
from smallbox.statistics.intervals import Interval


def permuted_importance(
    objective: Objective,
    score: Callable[[Mapping[str, Array]], Floats],
    inputs: Mapping[str, Array],
    scored: Scored,
    days: Ints,
    random: np.random.Generator,
) -> dict[str, Interval]:
    """The importance of each input column, in units of the loss, with bounds clustered by day.

    Permutation importance (Breiman, Machine Learning 45, 2001), once for each column: how rows of different days
    differ is larger than how shuffles differ.

    Args:
        objective: that of the model.
        score: the outputs ``(n, k)`` of input columns.
        inputs: by column ``(n,)``; the version's validation rows, or a sample of them.
        scored: the same rows with the model's outputs and their labels.
        days: ``(n,)`` the day of each row.
        random: shuffles.
    """
    order = random.permutation(len(days))
    return {
        name: loss_difference(objective, scored.beside(score({**inputs, name: values[order]})), scored, days)
        for name, values in inputs.items()
    }
