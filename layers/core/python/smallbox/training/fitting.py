"""Fit and calibrate: a pipeline that answers with probabilities."""

import warnings
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
        missing: numeric columns that are missing in every row that fitted; the model does not use them.
    """

    pipeline: Pipeline
    fitted: int
    calibrated: int
    missing: tuple[str, ...] = ()


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
    pipeline = fit_estimator(model, inputs[:first], labels[:first])
    round_thresholds(pipeline.steps[-1][1])
    missing = tuple(name for name in model.columns.numeric if inputs[name][:first].isna().all())
    return Fitted(_calibrated(pipeline, inputs[first:], labels[first:]), first, len(labels) - first, missing)


def fit_estimator(model: Model, inputs: pd.DataFrame, labels: npt.NDArray[np.bool_]) -> Pipeline:
    """The model's estimator, fitted, not calibrated.

    A column that is still missing in every row when it reaches the classifier is 0 there: trees cannot put it into
    bins, and on a constant they never split, so that what it holds later changes no score.
    """
    pipeline = build(model)
    before = pipeline[:-1]
    with warnings.catch_warnings():
        # scalers warn of a column without numbers; the next step takes it out
        warnings.filterwarnings("ignore", category=RuntimeWarning)
        prepared = before.fit_transform(inputs, labels)
    name, classifier = pipeline.steps[-1]
    classifier.fit(_without_empty_columns(prepared), labels)
    return Pipeline([*before.steps, (name, classifier)])


def _without_empty_columns(prepared: Any) -> Any:
    if not isinstance(prepared, np.ndarray) or prepared.dtype.kind != "f":
        return prepared
    return np.where(np.isnan(prepared).all(axis=0), np.zeros((), prepared.dtype), prepared)


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
