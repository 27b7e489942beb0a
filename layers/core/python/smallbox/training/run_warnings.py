"""The warnings of a training run: none stops the run, and a person should look at each."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from smallbox.arrays import Floats
from smallbox.define.model import Model
from smallbox.define.rules import Label
from smallbox.documents.metrics import BinaryMetrics
from smallbox.documents.training_run import LabelReport
from smallbox.statistics.confidence import Z_CONFIDENCE
from smallbox.statistics.ranking import auc
from smallbox.training.examples import Examples

LEAKAGE_AUC: Final = 0.999
"""From this AUC on, label leakage is likely: an input knows the outcome."""
NEGLIGIBLE_SHARE: Final = 0.01
"""A smaller share of unlabelled requests gives no warning."""


def single_column_aucs(train: Examples, validation: Examples) -> dict[str, float]:
    """The AUC of each column alone on the validation rows, in the direction in which it is above 0.5.

    Missing numbers count as the least. A text counts as the share of positives among the training rows with it.
    """
    columns, inputs = validation.columns, validation.inputs
    scores = {name: np.nan_to_num(inputs[name].to_numpy().astype(float), nan=-np.inf) for name in columns.numeric}
    scores |= {name: _target_encoded(train, validation, name) for name in columns.categorical}
    found = {name: auc(one, validation.labels).value for name, one in scores.items()}
    return {name: max(value, 1 - value) for name, value in found.items()}


def _target_encoded(train: Examples, validation: Examples, name: str) -> Floats:
    """For each validation row the share of positives of its text in training; of an unknown text the overall share."""
    words, codes = np.unique(train.inputs[name].to_numpy().astype(str), return_inverse=True)
    rates = np.bincount(codes, weights=train.labels.astype(float)) / np.bincount(codes)
    asked = validation.inputs[name].to_numpy().astype(str)
    at = np.minimum(np.searchsorted(words, asked), len(words) - 1)
    found: Floats = np.where(words[at] == asked, rates[at], train.labels.astype(float).mean())
    return found


def leakage_warnings(metrics: BinaryMetrics, train: Examples, validation: Examples) -> list[str]:
    """A warning about an AUC that suggests label leakage, with the column that alone explains it, if one does."""
    value = metrics["auc"]
    if value is None or value < LEAKAGE_AUC:
        return []
    alone = single_column_aucs(train, validation)
    best = max(alone, key=lambda name: alone[name])
    explains = f"{best!r} alone gives {alone[best]:.4f}"
    if alone[best] < LEAKAGE_AUC:
        explains = f"no column alone explains it, the best, {best!r}, gives {alone[best]:.4f}"
    return [f"an AUC of {value:.4f} is suspicious: {explains}; check that no input is known only with the outcome"]


def selection_warnings(model: Model, labels: LabelReport) -> list[str]:
    """A warning when few requests lack a label and differ from the others; when many do, the gate checks it."""
    share, value, error = labels["unlabelled_share"], labels["selection_auc"], labels["selection_auc_standard_error"]
    if labels["selection_failed"]:
        return [f"unlabelled requests could not be compared: the estimator raised {labels['selection_failed']} on them"]
    if not NEGLIGIBLE_SHARE <= share <= model.gate.max_unlabelled or value is None or error is None:
        return []
    if value - Z_CONFIDENCE * error <= model.gate.max_selection_auc:
        return []
    apart = f"an AUC of {value:.4f} (standard error {error:.4f})"
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
