"""Rows and pipelines of LightGBM and XGBoost, and how far ONNX is from them."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from smallbox.arrays import Floats
from smallbox.define import Columns, prepare
from smallbox.objectives.binary import Binary
from smallbox.objectives.multiclass import Multiclass
from smallbox.objectives.objective import Objective
from smallbox.objectives.regression import Regression
from smallbox.registry.scorer import Scorer
from smallbox.training.export import to_onnx
from smallbox.training.fit_model import outputs_of

COLUMNS: Final = Columns(("weight", "delay", "distance"), ("depot",))
ROWS: Final = 4000
LIGHT: Final[dict[str, Any]] = {"n_estimators": 40, "num_leaves": 15, "verbose": -1, "random_state": 0, "n_jobs": 1}
EXTREME: Final[dict[str, Any]] = {"n_estimators": 40, "max_depth": 4, "random_state": 0, "n_jobs": 1}


def number_rows(rows: int, seed: int, *, missing: bool = True) -> pd.DataFrame:
    """Numbers with two decimals, as people write them: LightGBM's thresholds lie beside their float32 values."""
    random = np.random.default_rng(seed)
    numbers = random.normal(scale=10, size=(rows, 3)).round(2).astype(np.float32)
    if missing:
        numbers[random.random(numbers.shape) < 0.1] = np.nan
    inputs = pd.DataFrame(numbers, columns=list(COLUMNS.numeric))
    inputs["depot"] = np.array(["north", "south", "west", ""], object)[random.integers(4, size=rows)]
    return inputs


def asked_rows(seed: int = 1) -> pd.DataFrame:
    """Rows to compare on: numbers are missing, and a tenth of the depots was never seen."""
    inputs = number_rows(ROWS, seed)
    inputs.loc[: ROWS // 10, "depot"] = "never seen"
    return inputs


def _signal(inputs: pd.DataFrame) -> Floats:
    numbers = inputs[list(COLUMNS.numeric)].fillna(3).to_numpy(np.float64) / 10
    noise = np.random.default_rng(7).normal(scale=0.3, size=len(inputs))
    signal: Floats = np.tanh(numbers[:, 0] + numbers[:, 1] * numbers[:, 2] + (inputs["depot"] == "north") + noise)
    return signal


def late(inputs: pd.DataFrame) -> Any:
    """Two classes: whether the signal is high."""
    return _signal(inputs) > 0.2


def outcome(inputs: pd.DataFrame) -> Any:
    """Three classes of the signal, by position."""
    return np.digitize(_signal(inputs), [-0.4, 0.4])


def minutes(inputs: pd.DataFrame) -> Any:
    """A number of about plus or minus 30."""
    return 30 * _signal(inputs)


def count(inputs: pd.DataFrame) -> Any:
    """Whole numbers, 0 or more."""
    return np.random.default_rng(8).poisson(3 * np.exp(_signal(inputs)))


def boosted(estimator: Any) -> Pipeline:
    """The estimator behind the preparation."""
    return Pipeline([("prepare", prepare(COLUMNS)), ("trees", estimator)])


def fitted(estimator: Any, target: Callable[[pd.DataFrame], Any], *, missing: bool = True) -> Pipeline:
    """The pipeline, fitted to a target of 2,000 rows; without missing numbers where asked."""
    inputs = number_rows(2000, seed=0, missing=missing)
    return boosted(estimator).fit(inputs, target(inputs))


def own_answers(pipeline: Pipeline, inputs: pd.DataFrame) -> Floats:
    """The estimator's own answers."""
    return outputs_of(objective_for(pipeline), [pipeline], inputs)


def _onnx(pipeline: Pipeline, inputs: pd.DataFrame) -> Floats:
    """The answers of the exported graph."""
    numeric = inputs[list(COLUMNS.numeric)].to_numpy(np.float32)
    return Scorer(exported(pipeline)).score(numeric, inputs[["depot"]].to_numpy(object))


def exported(pipeline: Pipeline) -> bytes:
    """The pipeline as ONNX."""
    return to_onnx([pipeline], COLUMNS, objective_for(pipeline))


def objective_for(pipeline: Pipeline) -> Objective:
    """An objective with the pipeline's outputs."""
    if not hasattr(pipeline, "classes_"):
        return Regression()
    return Binary() if len(pipeline.classes_) == 2 else Multiclass(("early", "in time", "late"))


def difference(pipeline: Pipeline, inputs: pd.DataFrame) -> float:
    """The largest difference between the estimator's answers and the graph's."""
    return float(np.abs(own_answers(pipeline, inputs) - _onnx(pipeline, inputs)).max())
