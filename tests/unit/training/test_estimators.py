"""Proves that a wrong estimator is refused before any data is read, at its place and in our words."""

import inspect
from dataclasses import replace
from typing import Any

import pytest
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from smallbox.define import Columns, Regression, label, prepare
from smallbox.define.model import Model
from smallbox.define.rules import Gate
from smallbox.errors import DefinitionError
from smallbox.training.estimators import build_pipeline, build_pipelines
from tests.fakes.small import deliveries, late_parcel


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
        (
            _regressor,
            "ends in HistGradientBoostingRegressor, .*, Binary, needs a classifier.*BoostingClassifier",
            0,
        ),
        (_linear, "ends in LinearRegression, .* needs a classifier; end it in one$", 0),
        (_scaler, "ends in StandardScaler, .* needs a classifier", 0),
        (_nothing, "returns NoneType; return a scikit-learn Pipeline", 0),
        (_raises, "scale='big' must be one of standard", 1),
    ],
)
def test_a_wrong_estimator_is_named_at_its_place(estimator: Any, says: str, below: int) -> None:
    """The error has this file, the function's line or the one in it that failed, and what to write."""
    with pytest.raises(DefinitionError, match=says) as caught:
        build_pipeline(replace(late_parcel, estimator=estimator), {})
    assert caught.value.details == {
        "file": __file__,
        "line": inspect.getsourcelines(estimator)[1] + below,
    }


def test_a_right_estimator_is_built() -> None:
    """The pipeline ends in the definition's own classifier."""
    assert [name for name, _ in build_pipeline(late_parcel, {}).steps] == ["prepare", "trees"]


def _quantile_trees(columns: Columns, quantile: float | None = None) -> Any:
    loss = "squared_error" if quantile is None else "quantile"
    return Pipeline([("prepare", prepare(columns)), ("trees", HistGradientBoostingRegressor(loss, quantile=quantile))])


def _delays(estimator: Any) -> Model:
    objective = Regression("squared", quantiles=(0.1, 0.9))
    delay = label(deliveries, on="parcel_id", value="delay", within="24h", objective=objective)
    return replace(late_parcel, label=delay, estimator=estimator, gate=Gate())


def test_a_pipeline_is_built_for_each_head() -> None:
    """The estimator is called without a quantile for the point, then with each quantile."""
    built = [pipeline.steps[-1][1] for pipeline in build_pipelines(_delays(_quantile_trees))]
    assert [(one.loss, one.quantile) for one in built] == [
        ("squared_error", None),
        ("quantile", 0.1),
        ("quantile", 0.9),
    ]


def _classifier(columns: Columns, quantile: float | None = None) -> Any:
    return late_parcel.estimator(columns)


def test_a_classifier_of_a_number_is_named() -> None:
    """The other way round: a number's label needs a regressor."""
    with pytest.raises(DefinitionError, match=r"objective, Regression, needs a regressor; .*BoostingRegressor"):
        build_pipelines(_delays(_classifier))
