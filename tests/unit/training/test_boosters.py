"""Proves that LightGBM's and XGBoost's estimators answer alike in ONNX."""

from functools import partial
from typing import Any, Final

import numpy as np
import pytest
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.pipeline import Pipeline
from xgboost import XGBClassifier, XGBRegressor

from tests.fakes.boosted import (
    COLUMNS,
    EXTREME,
    LIGHT,
    asked_rows,
    count,
    difference,
    fitted,
    late,
    minutes,
    number_rows,
    objective_for,
    outcome,
)

CLASSIFIERS: Final = [
    pytest.param(partial(LGBMClassifier, **LIGHT), id="lightgbm"),
    pytest.param(partial(LGBMClassifier, boosting_type="dart", **LIGHT), id="lightgbm-dart"),
    pytest.param(partial(LGBMClassifier, boosting_type="goss", **LIGHT), id="lightgbm-goss"),
    pytest.param(partial(XGBClassifier, **EXTREME), id="xgboost"),
]
REGRESSORS: Final = [
    *(
        pytest.param(partial(LGBMRegressor, objective=name, **LIGHT), id=name)
        for name in ("regression", "regression_l1", "huber")
    ),
    *(
        pytest.param(partial(LGBMRegressor, objective="quantile", alpha=share, **LIGHT), id=f"quantile {share}")
        for share in (0.1, 0.5, 0.9)
    ),
    *(
        pytest.param(partial(XGBRegressor, objective=name, **EXTREME), id=name)
        for name in ("reg:squarederror", "reg:absoluteerror", "reg:pseudohubererror")
    ),
    *(
        pytest.param(partial(XGBRegressor, objective="reg:quantileerror", quantile_alpha=share, **EXTREME), id=name)
        for name, share in (("reg:quantileerror 0.1", 0.1), ("reg:quantileerror 0.9", 0.9))
    ),
]
COUNTS: Final = [
    *(pytest.param(partial(LGBMRegressor, objective=name, **LIGHT), id=name) for name in ("poisson", "tweedie")),
    *(
        pytest.param(partial(XGBRegressor, objective=name, **EXTREME), id=name)
        for name in ("count:poisson", "reg:tweedie", "reg:squaredlogerror")
    ),
]


@pytest.mark.parametrize("build", CLASSIFIERS)
@pytest.mark.parametrize("target", [late, outcome])
@pytest.mark.parametrize("missing", [True, False])
def test_probabilities_are_equal(build: Any, target: Any, missing: bool) -> None:  # noqa: FBT001 - a parameter
    """Of two and of three classes, with missing numbers in training, and with missing numbers only later."""
    assert difference(fitted(build(), target, missing=missing), asked_rows()) < 1e-6


@pytest.mark.parametrize("build", REGRESSORS)
def test_numbers_are_equal(build: Any) -> None:
    """Minutes of means, medians and quantiles agree to a hundredth of a second: float32 sums of 40 trees."""
    assert difference(fitted(build(), minutes), asked_rows()) < 1e-4


@pytest.mark.parametrize("build", COUNTS)
def test_counts_are_equal(build: Any) -> None:
    """Expected counts, whose trees predict a logarithm, agree."""
    assert difference(fitted(build(), count), asked_rows()) < 2e-5


@pytest.mark.parametrize("build", CLASSIFIERS)
@pytest.mark.parametrize("target", [late, outcome])
def test_calibrated_probabilities_are_equal(build: Any, target: Any) -> None:
    """Platt scaling of two classes reads LightGBM's raw scores; temperature scaling of three, probabilities."""
    pipeline = fitted(build(), target)
    inputs, booster = number_rows(1000, seed=2), pipeline.steps[-1][1]
    prepared = pipeline[:-1].transform(inputs)
    calibrated = objective_for(pipeline).calibrated(
        booster, prepared, target(inputs).astype(np.float64), np.zeros(len(inputs), int)
    )
    assert difference(Pipeline([*pipeline.steps[:-1], ("trees", calibrated)]), asked_rows()) < 1e-6


def _thresholds(pipeline: Pipeline) -> list[tuple[int, float]]:
    """The column and the threshold of every split of the trees."""
    booster = pipeline.steps[-1][1]
    if isinstance(booster, LGBMClassifier):
        trees = booster.booster_.trees_to_dataframe().dropna(subset=["threshold"])
        return [
            (int(name.removeprefix("Column_")), at)
            for name, at in zip(trees.split_feature, trees.threshold, strict=True)
        ]
    trees = booster.get_booster().trees_to_dataframe().dropna(subset=["Split"])
    return [(int(name.removeprefix("f")), at) for name, at in zip(trees.Feature, trees.Split, strict=True)]


@pytest.mark.parametrize("build", [CLASSIFIERS[0], CLASSIFIERS[-1]])
def test_values_beside_a_threshold_go_the_same_way(build: Any) -> None:
    """The float32 nearest to every threshold, and both its neighbours, score alike."""
    pipeline = fitted(build(), late)
    numeric = [(column, at) for column, at in _thresholds(pipeline) if column < len(COLUMNS.numeric) and at < 1e30]
    assert len(numeric) > 100
    nearest = np.array([at for _, at in numeric], np.float32)
    for values in (np.nextafter(nearest, np.float32(-np.inf)), nearest, np.nextafter(nearest, np.float32(np.inf))):
        inputs = number_rows(len(numeric), seed=3)
        for row, (column, _) in enumerate(numeric):
            inputs.iloc[row, column] = values[row]
        assert difference(pipeline, inputs) < 1e-6


def test_a_model_that_learned_nothing_is_equal() -> None:
    """Trees of one leaf: the share of late rows is the answer, not its logistic."""
    for booster in (XGBClassifier(min_child_weight=1e9, **EXTREME), LGBMClassifier(min_child_samples=10**6, **LIGHT)):
        assert difference(fitted(booster, late), asked_rows()) < 1e-6
