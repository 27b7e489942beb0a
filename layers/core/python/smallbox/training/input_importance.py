"""How much a candidate relies on each input, from a sample of its validation rows."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from smallbox.arrays import Array, Floats, Ints
from smallbox.objectives.objective import Objective, Scored
from smallbox.objectives.permuted_importance import permuted_importance
from smallbox.registry.scorer import Scorer
from smallbox.times import DAY
from smallbox.training.examples import Examples

PERMUTED_ROWS: Final = 4_000
"""About how many rows are scored again for each input."""


def input_importance(objective: Objective, scorer: Scorer, validation: Examples, scored: Scored) -> dict[str, float]:
    """By input the rise of the mean loss when it is shuffled between rows; 0 where the loss falls, which is chance.

    Args:
        objective: that of the label.
        scorer: the exported candidate.
        validation: rows that did not fit it.
        scored: the same rows with its outputs.
    """
    rows = _sample(objective, validation)
    sample = validation.take(rows)
    columns = sample.columns

    def score(inputs: Mapping[str, Array]) -> Floats:
        numeric = [np.empty((len(sample), 0)), *(np.asarray(inputs[n], float)[:, None] for n in columns.numeric)]
        texts = [np.empty((len(sample), 0), object), *(inputs[n][:, None] for n in columns.categorical)]
        return scorer.score(np.concatenate(numeric, axis=1), np.concatenate(texts, axis=1))

    random = np.random.default_rng(0)
    days = sample.times // DAY
    found = permuted_importance(objective, score, sample.by_column, scored.take(rows), days, random)
    return {name: float(np.nan_to_num(max(one.value, 0.0))) for name, one in found.items()}


def _sample(objective: Objective, validation: Examples) -> Ints:
    """Rows at even steps, of whole groups where there are groups."""
    units = validation.groups if objective.group else np.arange(len(validation))
    step = max(len(validation) // PERMUTED_ROWS, 1)
    return np.flatnonzero(np.unique(units, return_inverse=True)[1] % step == 0)
