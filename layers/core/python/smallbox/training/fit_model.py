"""Fits and calibrates a model's pipeline, so that its scores are probabilities."""

import warnings
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from smallbox.arrays import Bools, Floats
from smallbox.define.model import Model
from smallbox.errors import NotReady
from smallbox.training.estimators import build_pipeline
from smallbox.training.examples import Examples
from smallbox.training.float32_thresholds import round_thresholds

CALIBRATION_SHARE: Final = 0.15
"""Share of the training rows, the last ones in time, that calibrates instead of fitting."""
MIN_ROWS: Final = 50
"""Fewest rows to fit or to calibrate on."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A fitted and calibrated pipeline.

    Attributes:
        pipeline: its last step is the calibrated classifier.
        fitted: number of rows that fitted.
        calibrated: number of later rows that calibrated.
        missing: numeric columns that are missing in every row that fitted; the model does not use them.
    """

    pipeline: Pipeline
    fitted: int
    calibrated: int
    missing: tuple[str, ...] = ()


def fit(model: Model, examples: Examples) -> Fitted:
    """Fit on the earlier rows, calibrate on the later ones.

    The calibration is Platt scaling (Advances in Large Margin Classifiers, 1999): its two parameters need only a few
    hundred rows, and it keeps the order of the scores.

    Args:
        model: whose estimator is built.
        examples: training rows in time order.

    Raises:
        NotReady: when the rows are too few, or all of one class.
    """
    size = int(len(examples) * (1 - CALIBRATION_SHARE))
    first, later = examples.take(slice(size)), examples.take(slice(size, None))
    _check_rows(first.labels)
    _check_rows(later.labels)
    pipeline = fit_estimator(model, first.inputs, first.labels)
    round_thresholds(pipeline.steps[-1][1])
    missing = tuple(name for name in model.columns.numeric if first.inputs[name].isna().all())
    return Fitted(_calibrated(pipeline, later), len(first), len(later), missing)


def fit_estimator(model: Model, inputs: pd.DataFrame, labels: Bools) -> Pipeline:
    """The model's estimator, fitted, not calibrated.

    A column that is missing in every row when it reaches the classifier is set to 0 for the fit: trees cannot bin a
    column of NaN. They never split on a constant, so later values of the column change no score.

    Args:
        model: whose estimator is built.
        inputs: ``n`` rows of the model's columns.
        labels: ``(n,)`` what to predict; need not be the model's own label.
    """
    pipeline = build_pipeline(model)
    preparation = pipeline[:-1]
    with warnings.catch_warnings():
        # scalers warn about all-NaN columns, which the next step replaces
        warnings.filterwarnings("ignore", category=RuntimeWarning)
        prepared = preparation.fit_transform(inputs, labels)
    name, classifier = pipeline.steps[-1]
    classifier.fit(_with_empty_columns_zero(prepared), labels)
    return Pipeline([*preparation.steps, (name, classifier)])


def _with_empty_columns_zero(prepared: Any) -> Any:
    if not isinstance(prepared, np.ndarray) or prepared.dtype.kind != "f":
        return prepared
    return np.where(np.isnan(prepared).all(axis=0), np.zeros((), prepared.dtype), prepared)


def _check_rows(labels: Bools) -> None:
    if len(labels) < MIN_ROWS or labels.all() or not labels.any():
        raise NotReady(
            f"{len(labels)} rows, {int(labels.sum())} positive, are too few to fit or calibrate on; "
            f"at least {MIN_ROWS} with both labels are needed (a request without an outcome counts as neither)",
            rows=len(labels),
            positive=int(labels.sum()),
        )


def _calibrated(pipeline: Pipeline, examples: Examples) -> Pipeline:
    name, classifier = pipeline.steps[-1]
    calibrated = CalibratedClassifierCV(FrozenEstimator(classifier), method="sigmoid")
    calibrated.fit(pipeline[:-1].transform(examples.inputs), examples.labels)
    # FrozenEstimator kept the classifier from being fitted again; the ONNX converter knows only the classifier itself.
    calibrated.estimator = classifier
    for part in calibrated.calibrated_classifiers_:
        part.estimator = classifier
    return Pipeline([*pipeline.steps[:-1], (name, calibrated)])


def scores_of(pipeline: Any, inputs: pd.DataFrame) -> Floats:
    """The probability of a true label for each row, by scikit-learn."""
    scores: Floats = pipeline.predict_proba(inputs)[:, 1].astype(np.float64)
    return scores
