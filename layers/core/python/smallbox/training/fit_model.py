"""Fits and calibrates the pipelines of a model, one for each head of its objective."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from smallbox.arrays import Array, Floats
from smallbox.define.model import Model
from smallbox.errors import NotReady
from smallbox.objectives.objective import Objective
from smallbox.training.estimators import build_pipeline
from smallbox.training.examples import Examples
from smallbox.training.float32_thresholds import round_thresholds

MIN_ROWS: Final = 50
"""Fewest rows to fit or to calibrate on."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """Fitted and calibrated pipelines.

    Attributes:
        pipelines: one for each head.
        fitted: number of rows that fitted.
        calibrated: number of later rows that calibrated; 0 where the objective calibrates nothing.
        missing: numeric columns that are missing in every row that fitted; the model does not use them.
    """

    pipelines: tuple[Pipeline, ...]
    fitted: int
    calibrated: int
    missing: tuple[str, ...] = ()


def fit(model: Model, examples: Examples) -> Fitted:
    """Fit on the earlier rows, calibrate on the later ones.

    Args:
        model: whose estimator is built.
        examples: training rows in time order.

    Raises:
        NotReady: when the rows are too few, lack an outcome, or have labels that cannot be.
    """
    objective = model.objective
    _check_possible(objective, examples.labels)
    size = int(len(examples) * (1 - objective.calibration_share))
    first, later = examples.take(slice(size)), examples.take(slice(size, None))
    _check_rows(first.labels, objective.lacking(first.labels))
    if objective.calibration_share:
        _check_rows(later.labels, objective.lacking_to_calibrate(later.labels))
    pipelines = tuple(_fit_head(model, head, first, later) for head in objective.heads)
    missing = tuple(name for name in model.columns.numeric if first.inputs[name].isna().all())
    return Fitted(pipelines, len(first), len(later), missing)


def _fit_head(model: Model, head: Mapping[str, float], first: Examples, later: Examples) -> Pipeline:
    pipeline = fit_estimator(model, head, first.inputs, model.objective.targets(first.labels))
    name, estimator = pipeline.steps[-1]
    round_thresholds(estimator)
    if not model.objective.calibration_share:
        return pipeline
    calibrated = model.objective.calibrated(estimator, pipeline[:-1].transform(later.inputs), later.labels)
    return Pipeline([*pipeline.steps[:-1], (name, calibrated)])


def fit_estimator(model: Model, head: Mapping[str, float], inputs: pd.DataFrame, targets: Array) -> Pipeline:
    """The model's estimator of a head, fitted, not calibrated.

    A column that is missing in every row when it reaches the estimator is set to 0 for the fit: trees cannot bin a
    column of NaN. They never split on a constant, so later values of the column change no output.

    Args:
        model: whose estimator is built.
        head: the keyword arguments that the estimator gets besides the columns.
        inputs: ``n`` rows of the model's columns.
        targets: ``(n,)`` what to predict; need not be the model's own label.
    """
    pipeline = build_pipeline(model, head)
    preparation = pipeline[:-1]
    with warnings.catch_warnings():
        # scalers warn about all-NaN columns, which the next step replaces
        warnings.filterwarnings("ignore", category=RuntimeWarning)
        prepared = preparation.fit_transform(inputs, targets)
    name, estimator = pipeline.steps[-1]
    estimator.fit(_with_empty_columns_zero(prepared), targets)
    return Pipeline([*preparation.steps, (name, estimator)])


def _with_empty_columns_zero(prepared: Any) -> Any:
    if not isinstance(prepared, np.ndarray) or prepared.dtype.kind != "f":
        return prepared
    return np.where(np.isnan(prepared).all(axis=0), np.zeros((), prepared.dtype), prepared)


def _check_possible(objective: Objective, labels: Floats) -> None:
    impossible = objective.impossible(labels)
    if impossible:
        raise NotReady(f"the labels of the training rows cannot be: {impossible}", rows=len(labels))


def _check_rows(labels: Floats, lacking: str) -> None:
    if len(labels) < MIN_ROWS or lacking:
        raise NotReady(
            f"{len(labels)} rows are too few to fit or calibrate on, or lack an outcome; at least {MIN_ROWS} are needed"
            f"{f', and there are no {lacking}' if lacking else ''} (a request without an outcome has no label)",
            rows=len(labels),
        )


def outputs_of(objective: Objective, pipelines: Sequence[Any], inputs: pd.DataFrame) -> Floats:
    """The outputs of each row by scikit-learn, ``(n, k)``."""
    return objective.arranged(np.column_stack([objective.predicted(one, inputs) for one in pipelines]))
