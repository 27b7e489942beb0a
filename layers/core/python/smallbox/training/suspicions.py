"""What a training run warns of: nothing forbids it, and somebody should look at it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa

from smallbox.arrays import Floats
from smallbox.define.model import Columns, Model
from smallbox.statistics.confidence import side_of
from smallbox.statistics.ranking import auc

TOO_GOOD: Final = 0.999
"""An AUC from which on a model probably sees the outcome itself."""
FEW: Final = 0.01
"""A smaller share of unlabelled requests is not worth a sentence."""


def auc_alone(columns: Columns, train: pa.Table, judged: pa.Table) -> dict[str, float]:
    """The AUC of each column alone on the validation rows, in whichever direction it is above 0.5.

    Missing numbers count as the least. A text counts as the share of positives among the training rows with it.
    """
    labels = judged["label"].to_numpy(zero_copy_only=False).astype(bool)
    scores = {name: np.nan_to_num(judged[name].to_numpy().astype(float), nan=-np.inf) for name in columns.numeric}
    scores |= {name: _rates(train, judged, name) for name in columns.categorical}
    found = {name: auc(one, labels).value for name, one in scores.items()}
    return {name: max(value, 1 - value) for name, value in found.items()}


def _rates(train: pa.Table, judged: pa.Table, name: str) -> Floats:
    """For each validation row the share of positives of its text in training; of an unknown text that of all."""
    labels = train["label"].to_numpy(zero_copy_only=False).astype(float)
    words, place = np.unique(train[name].to_numpy(zero_copy_only=False).astype(str), return_inverse=True)
    rates = np.bincount(place, weights=labels) / np.bincount(place)
    asked = judged[name].to_numpy(zero_copy_only=False).astype(str)
    at = np.minimum(np.searchsorted(words, asked), len(words) - 1)
    found: Floats = np.where(words[at] == asked, rates[at], labels.mean())
    return found


def too_good(metrics: Mapping[str, Any], columns: Columns, train: pa.Table, judged: pa.Table) -> list[str]:
    """A sentence about an AUC that is hardly ever honest, with the column that alone explains it, if one does."""
    value = metrics["auc"]
    if value is None or value < TOO_GOOD:
        return []
    alone = auc_alone(columns, train, judged)
    best = max(alone, key=lambda name: alone[name])
    explains = f"{best!r} alone gives {alone[best]:.4f}"
    if alone[best] < TOO_GOOD:
        explains = f"no column alone explains it, the best, {best!r}, gives {alone[best]:.4f}"
    return [f"an AUC of {value:.4f} is suspicious: {explains}; see that no input is known only with the outcome"]


def unlike_labelled(model: Model, labels: Mapping[str, Any]) -> list[str]:
    """A sentence when the few requests without a label are unlike those with one; of many the gate itself speaks."""
    share, value, error = (labels[n] for n in ("unlabelled_share", "selection_auc", "selection_auc_standard_error"))
    if labels["selection_failed"]:
        return [f"unlabelled requests could not be compared: the estimator raised {labels['selection_failed']} on them"]
    if not FEW <= share <= model.gate.max_unlabelled or value is None:
        return []
    if side_of(value, error, model.gate.max_selection_auc) != "above":
        return []
    apart = f"an AUC of {value:.4f} (standard error {error:.4f})"
    return [f"{share:.1%} of the requests have no label, and the inputs tell them from the others with {apart}"]


def never_there(columns: Sequence[str]) -> list[str]:
    """A sentence about columns that were missing in every row that fitted."""
    if not columns:
        return []
    return [f"missing in every row that fitted, so that the model does not use it: {', '.join(columns)}"]
