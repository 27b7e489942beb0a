"""A boolean label: the loss of a prediction, and the figures that a version is judged by."""

import math
from typing import Any, Final

import numpy as np

from smallbox.arrays import Bools, Floats
from smallbox.statistics.calibration import calibration
from smallbox.statistics.ranking import auc

_CLIP: Final = 1e-15
"""The least probability that the log loss counts with: a certain answer that is wrong would cost infinitely much."""


def log_loss(scores: Floats, labels: Bools) -> float:
    """The mean negative logarithm of the probability that was given to the outcome; lower is better. NaN of no rows."""
    if not len(scores):
        return math.nan
    given = np.clip(np.where(labels, scores, 1 - scores), _CLIP, 1)
    return float(-np.log(given).mean())


def measure(scores: Floats, labels: Bools) -> dict[str, Any]:
    """The figures of one set of rows, JSON-ready; ``None`` where the rows cannot give one.

    ``rows`` are all of them, ``rarer_rows`` those of the class that has fewer.
    """
    ranking, calibrated = auc(scores, labels), calibration(scores, labels)
    figures = {
        "auc": ranking.value,
        "auc_standard_error": ranking.standard_error,
        "log_loss": log_loss(scores, labels),
        "calibration_error": calibrated.error,
        "calibration_error_by_chance": calibrated.by_chance,
        "calibration_standard_error": calibrated.standard_error,
        "mean_score": float(scores.mean()) if len(scores) else math.nan,
        "positive_rate": float(labels.mean()) if len(labels) else math.nan,
    }
    counts = {"rows": len(scores), "rarer_rows": int(min(labels.sum(), (~labels).sum()))}
    return {**counts, **{n: None if math.isnan(v) else v for n, v in figures.items()}}
