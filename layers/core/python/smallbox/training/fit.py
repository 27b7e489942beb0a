"""Fit and calibrate: a pipeline that answers with probabilities."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from smallbox.define.model import Columns, Model
from smallbox.errors import NotReady
from smallbox.training.estimators import build
from smallbox.training.thresholds import round_thresholds

CALIBRATION_SHARE: Final = 0.15
"""The last part of the training rows, in time, that calibrates instead of fitting."""
LEAST_ROWS: Final = 50


@dataclass(frozen=True, slots=True)
class Fitted:
    """A fitted pipeline, and how many rows went into what.

    Attributes:
        pipeline: its last step is the calibrated classifier.
        fitted: rows that fitted.
        calibrated: later rows that calibrated.
    """

    pipeline: Pipeline
    fitted: int
    calibrated: int


def frame(columns: Columns, rows: pa.Table) -> pd.DataFrame:
    """The model's inputs as the estimator takes them: float32 columns first, then texts."""
    return pd.DataFrame(
        {n: rows[n].to_numpy().astype(np.float32) for n in columns.numeric}
        | {n: np.array(rows[n].to_pylist(), dtype=object) for n in columns.categorical}
    )


def fit(model: Model, rows: pa.Table) -> Fitted:
    """Fit on the earlier rows, calibrate on the later ones.

    Calibration is Platt's sigmoid (Advances in Large Margin Classifiers, 1999): two parameters, which a few hundred
    rows determine, and which keep the order of the scores.

    Args:
        model: whose estimator is built.
        rows: training rows in time order, with ``label``.

    Raises:
        NotReady: when the rows are too few, or all of one class.
    """
    labels = rows["label"].to_numpy().astype(bool)
    first = int(len(labels) * (1 - CALIBRATION_SHARE))
    _check(labels[:first])
    _check(labels[first:])
    inputs = frame(model.columns, rows)
    pipeline = build(model)
    pipeline.fit(inputs[:first], labels[:first])
    round_thresholds(pipeline.steps[-1][1])
    return Fitted(_calibrated(pipeline, inputs[first:], labels[first:]), first, len(labels) - first)


def _check(labels: npt.NDArray[np.bool_]) -> None:
    if len(labels) < LEAST_ROWS or labels.all() or not labels.any():
        raise NotReady(
            f"{len(labels)} rows, {int(labels.sum())} positive, are too few to fit or calibrate on; "
            f"it takes {LEAST_ROWS} with both labels (a request without an outcome counts as neither)",
            rows=len(labels),
            positive=int(labels.sum()),
        )


def _calibrated(pipeline: Pipeline, inputs: pd.DataFrame, labels: npt.NDArray[np.bool_]) -> Pipeline:
    name, classifier = pipeline.steps[-1]
    calibrated = CalibratedClassifierCV(FrozenEstimator(classifier), method="sigmoid")
    calibrated.fit(pipeline[:-1].transform(inputs), labels)
    # The ONNX converter knows the classifier itself, not the wrapper that kept it from being fitted again.
    calibrated.estimator = classifier
    for part in calibrated.calibrated_classifiers_:
        part.estimator = classifier
    return Pipeline([*pipeline.steps[:-1], (name, calibrated)])


def scores_of(pipeline: Any, inputs: pd.DataFrame) -> npt.NDArray[np.float64]:
    """The probability of the label, row by row."""
    scores: npt.NDArray[np.float64] = pipeline.predict_proba(inputs)[:, 1].astype(np.float64)
    return scores
