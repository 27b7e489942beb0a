"""The warnings of a training run: none stops the run, and a person should look at each."""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from smallbox.arrays import Array, Floats, Ints
from smallbox.define.model import Model
from smallbox.define.rules import Label
from smallbox.documents.training_run import LabelReport
from smallbox.objectives.measure import mean_loss
from smallbox.objectives.objective import Objective, Scored
from smallbox.training.examples import Examples

LEAKAGE_SKILL: Final = 0.95
"""From this skill on, label leakage is likely: an input knows the outcome."""
_BINS: Final = 200
_PRIOR_ROWS: Final = 0.1
"""So many rows' worth of all rows' outputs are mixed into each bin's: a pure bin is not certain, whose one exception
would cost an infinite log loss."""
NEGLIGIBLE_SHARE: Final = 0.01
"""A smaller share of unlabelled requests gives no warning."""


def skill(objective: Objective, scored: Scored, train: Examples) -> float:
    """The share by which the mean loss of rows lies below that of the best constant outputs for the training rows.

    1 means perfect, 0 as good as the constant, and below 0 worse; NaN without a loss, as when no group has a pair.
    """
    constant = mean_loss(objective, scored.beside(objective.baseline(train.labels))).value
    return 1 - mean_loss(objective, scored).value / constant if constant else 0.0


def single_column_skills(objective: Objective, train: Examples, validation: Examples) -> dict[str, float]:
    """The skill of each column alone on the validation rows.

    Alone means: the best constant outputs within each of the column's values, or within 200 bins of its numbers, on the
    training rows.
    """
    found = {}
    for name in validation.columns.names:
        codes, asked = _binned(train.inputs[name].to_numpy(), validation.inputs[name].to_numpy())
        outputs = _outputs_by_bin(objective, codes, train.labels)[asked]
        found[name] = skill(objective, validation.scored(outputs), train)
    return found


def _binned(values: Array, asked: Array) -> tuple[Ints, Ints]:
    """The bin of each value, and of each asked one; one that no training row has is in the last bin."""
    if values.dtype.kind != "f":
        names = np.unique(values.astype(str))
        return _places(names, values.astype(str)), _places(names, asked.astype(str))
    known = values[~np.isnan(values)]
    edges = np.unique(np.quantile(known, np.arange(1, _BINS) / _BINS)) if len(known) else np.empty(0)
    return np.searchsorted(edges, values), np.searchsorted(edges, asked)


def _places(names: Array, texts: Array) -> Ints:
    at = np.minimum(np.searchsorted(names, texts), len(names) - 1)
    return np.where(names[at] == texts, at, len(names))


def _outputs_by_bin(objective: Objective, codes: Ints, labels: Floats) -> Floats:
    """The best constant outputs of each bin, and a little of those of all rows; of a bin without rows only these."""
    overall = np.array(objective.baseline(labels))
    rows = np.bincount(codes, minlength=int(codes.max(initial=0)) + 2)
    by_bin = np.split(labels[np.argsort(codes, kind="stable")], np.cumsum(rows)[:-1])
    own = np.array([objective.baseline(inside) if len(inside) else overall for inside in by_bin])
    counts = rows[:, None]
    found: Floats = (counts * own + _PRIOR_ROWS * overall) / (counts + _PRIOR_ROWS)
    return found


def leakage_warnings(objective: Objective, scored: Scored, train: Examples, validation: Examples) -> list[str]:
    """A warning about a skill that suggests label leakage, with the column that alone explains it, if one does."""
    value = skill(objective, scored, train)
    if math.isnan(value) or value < LEAKAGE_SKILL:
        return []
    alone = single_column_skills(objective, train, validation)
    best = max(alone, key=lambda name: alone[name])
    explains = f"{best!r} alone gives {alone[best]:.4f}"
    if alone[best] < LEAKAGE_SKILL:
        explains = f"no column alone explains it, the best, {best!r}, gives {alone[best]:.4f}"
    return [f"a skill of {value:.4f} is suspicious: {explains}; check that no input is known only with the outcome"]


def selection_warnings(model: Model, labels: LabelReport) -> list[str]:
    """A warning when few requests lack a label and differ from the others; when many do, the gate checks it."""
    share, value, low = labels["unlabelled_share"], labels["selection_auc"]["value"], labels["selection_auc"]["low"]
    if labels["selection_failed"]:
        return [f"unlabelled requests could not be compared: the estimator raised {labels['selection_failed']} on them"]
    if not NEGLIGIBLE_SHARE <= share <= model.gate.max_unlabelled or value is None or low is None:
        return []
    if low <= model.gate.max_selection_auc:
        return []
    apart = f"an AUC of {value:.4f} (at least {low:.4f})"
    return [f"{share:.1%} of the requests have no label, and the inputs tell them from the others with {apart}"]


def empty_column_warnings(columns: Sequence[str]) -> list[str]:
    """A warning about columns that were missing in every row that fitted."""
    if not columns:
        return []
    return [f"missing in every row that fitted, so the model does not use it: {', '.join(columns)}"]


def other_label_warnings(model: Model, champion: tuple[int, Label] | None) -> list[str]:
    """A warning when the champion predicts another label than the definition.

    Args:
        model: the definition.
        champion: the champion's version number and its label; ``None`` before the first.
    """
    if champion is None or champion[1] == model.label:
        return []
    return [f"version {champion[0]}, the champion, predicts another label, so it was not compared with"]
