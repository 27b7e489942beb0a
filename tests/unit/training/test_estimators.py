"""Proves that a wrong estimator is refused before any data is read, at its place and in our words."""

import inspect
from dataclasses import replace
from typing import Any

import pytest
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from smallbox.define import Columns, prepare
from smallbox.errors import DefinitionError
from smallbox.training.estimators import build_pipeline
from tests.fakes.small import late_parcel


def _regressor(columns: Columns) -> Any:
    return Pipeline([("prepare", prepare(columns)), ("trees", HistGradientBoostingRegressor())])


def _linear(columns: Columns) -> Any:
    return Pipeline([("prepare", prepare(columns)), ("fit", LinearRegression())])


def _scaler(columns: Columns) -> Any:
    return Pipeline([("prepare", prepare(columns)), ("scale", StandardScaler())])


def _nothing(_: Columns) -> Any:
    return None


def _raises(columns: Columns) -> Any:
    return prepare(columns, numeric={"scale": "big"})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("estimator", "says", "below"),
    [
        (_regressor, "the regressor HistGradientBoostingRegressor, and the label is boolean; .*BoostingClassifier", 0),
        (_linear, "the regressor LinearRegression", 0),
        (_scaler, "StandardScaler, which is not a classifier", 0),
        (_nothing, "returns NoneType; return a scikit-learn Pipeline", 0),
        (_raises, "scale='big' must be one of standard", 1),
    ],
)
def test_a_wrong_estimator_is_named_at_its_place(estimator: Any, says: str, below: int) -> None:
    """The error has this file, the function's line or the one in it that failed, and what to write."""
    with pytest.raises(DefinitionError, match=says) as caught:
        build_pipeline(replace(late_parcel, estimator=estimator))
    assert caught.value.details == {
        "file": __file__,
        "line": inspect.getsourcelines(estimator)[1] + below,
    }


def test_a_right_estimator_is_built() -> None:
    """The pipeline ends in the definition's own classifier."""
    assert [name for name, _ in build_pipeline(late_parcel).steps] == ["prepare", "trees"]
