"""Metrics of scores for a boolean label."""

import math
from typing import Final

import numpy as np

from smallbox.arrays import Bools, Floats
from smallbox.documents.metrics import BinaryMetrics
from smallbox.statistics.calibration import calibration
from smallbox.statistics.estimates import none_if_nan
from smallbox.statistics.ranking import auc

_MIN_PROBABILITY: Final = 1e-15
"""Probabilities are clipped to this: a score of exactly 0 for an outcome that happens would cost infinity."""


def log_loss(scores: Floats, labels: Bools) -> float:
    """The mean negative logarithm of the probability given to the outcome; lower is better; NaN without rows."""
    if not len(scores):
        return math.nan
    given = np.clip(np.where(labels, scores, 1 - scores), _MIN_PROBABILITY, 1)
    return float(-np.log(given).mean())


def measure(scores: Floats, labels: Bools) -> BinaryMetrics:
    """All metrics of one set of rows, ready for JSON."""
    ranking, calibrated = auc(scores, labels), calibration(scores, labels)
    return {
        "rows": len(scores),
        "rarer_rows": int(min(labels.sum(), (~labels).sum())),
        "auc": none_if_nan(ranking.value),
        "auc_standard_error": none_if_nan(ranking.standard_error),
        "log_loss": none_if_nan(log_loss(scores, labels)),
        "calibration_error": none_if_nan(calibrated.error),
        "calibration_error_by_chance": none_if_nan(calibrated.by_chance),
        "calibration_standard_error": none_if_nan(calibrated.standard_error),
        "mean_score": none_if_nan(float(scores.mean())) if len(scores) else None,
        "positive_rate": none_if_nan(float(labels.mean())) if len(labels) else None,
    }
