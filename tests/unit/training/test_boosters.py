"""Proves that LightGBM's and XGBoost's estimators answer alike in ONNX, and that settings which do not are refused."""

import subprocess
import sys
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import numpy as np
import pandas as pd
import pytest
import skops.io
from lightgbm import LGBMClassifier, LGBMRanker, LGBMRegressor
from sklearn.pipeline import Pipeline
from xgboost import XGBClassifier, XGBRanker, XGBRegressor, XGBRFClassifier

from smallbox.arrays import Floats
from smallbox.define import Columns, prepare
from smallbox.errors import DefinitionError, NotReady
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


def _rows(rows: int, seed: int, *, missing: bool = True) -> pd.DataFrame:
    """Numbers with two decimals, as people write them: LightGBM's thresholds lie beside their float32 values."""
    random = np.random.default_rng(seed)
    numbers = random.normal(scale=10, size=(rows, 3)).round(2).astype(np.float32)
    if missing:
        numbers[random.random(numbers.shape) < 0.1] = np.nan
    inputs = pd.DataFrame(numbers, columns=list(COLUMNS.numeric))
    inputs["depot"] = np.array(["north", "south", "west", ""], object)[random.integers(4, size=rows)]
    return inputs


def _asked(seed: int = 1) -> pd.DataFrame:
    """Rows to compare on: numbers are missing, and a tenth of the depots was never seen."""
    inputs = _rows(ROWS, seed)
    inputs.loc[: ROWS // 10, "depot"] = "never seen"
    return inputs


def _signal(inputs: pd.DataFrame) -> Floats:
    numbers = inputs[list(COLUMNS.numeric)].fillna(3).to_numpy(np.float64) / 10
    noise = np.random.default_rng(7).normal(scale=0.3, size=len(inputs))
    signal: Floats = np.tanh(numbers[:, 0] + numbers[:, 1] * numbers[:, 2] + (inputs["depot"] == "north") + noise)
    return signal


def _late(inputs: pd.DataFrame) -> Any:
    return _signal(inputs) > 0.2


def _outcome(inputs: pd.DataFrame) -> Any:
    return np.digitize(_signal(inputs), [-0.4, 0.4])


def _minutes(inputs: pd.DataFrame) -> Any:
    return 30 * _signal(inputs)


def _count(inputs: pd.DataFrame) -> Any:
    return np.random.default_rng(8).poisson(3 * np.exp(_signal(inputs)))


def _pipeline(estimator: Any) -> Pipeline:
    return Pipeline([("prepare", prepare(COLUMNS)), ("trees", estimator)])


def _fitted(estimator: Any, target: Callable[[pd.DataFrame], Any], *, missing: bool = True) -> Pipeline:
    inputs = _rows(2000, seed=0, missing=missing)
    return _pipeline(estimator).fit(inputs, target(inputs))


def _own(pipeline: Pipeline, inputs: pd.DataFrame) -> Floats:
    """The estimator's own answers."""
    return outputs_of(_objective(pipeline), [pipeline], inputs)


def _onnx(pipeline: Pipeline, inputs: pd.DataFrame) -> Floats:
    """The answers of the exported graph."""
    numeric = inputs[list(COLUMNS.numeric)].to_numpy(np.float32)
    return Scorer(_exported(pipeline)).score(numeric, inputs[["depot"]].to_numpy(object))


def _exported(pipeline: Pipeline) -> bytes:
    return to_onnx([pipeline], COLUMNS, _objective(pipeline))


def _objective(pipeline: Pipeline) -> Objective:
    if not hasattr(pipeline, "classes_"):
        return Regression()
    return Binary() if len(pipeline.classes_) == 2 else Multiclass(("early", "in time", "late"))


def _difference(pipeline: Pipeline, inputs: pd.DataFrame) -> float:
    return float(np.abs(_own(pipeline, inputs) - _onnx(pipeline, inputs)).max())


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
@pytest.mark.parametrize("target", [_late, _outcome])
@pytest.mark.parametrize("missing", [True, False])
def test_probabilities_are_equal(build: Any, target: Any, missing: bool) -> None:  # noqa: FBT001 - a parameter
    """Of two and of three classes, with missing numbers in training, and with missing numbers only later."""
    assert _difference(_fitted(build(), target, missing=missing), _asked()) < 1e-6


@pytest.mark.parametrize("build", REGRESSORS)
def test_numbers_are_equal(build: Any) -> None:
    """Minutes of means, medians and quantiles agree to a hundredth of a second: float32 sums of 40 trees."""
    assert _difference(_fitted(build(), _minutes), _asked()) < 1e-4


@pytest.mark.parametrize("build", COUNTS)
def test_counts_are_equal(build: Any) -> None:
    """Expected counts, whose trees predict a logarithm, agree."""
    assert _difference(_fitted(build(), _count), _asked()) < 2e-5


@pytest.mark.parametrize("build", CLASSIFIERS)
@pytest.mark.parametrize("target", [_late, _outcome])
def test_calibrated_probabilities_are_equal(build: Any, target: Any) -> None:
    """Platt scaling of two classes reads LightGBM's raw scores; temperature scaling of three, probabilities."""
    pipeline = _fitted(build(), target)
    inputs, booster = _rows(1000, seed=2), pipeline.steps[-1][1]
    prepared = pipeline[:-1].transform(inputs)
    calibrated = _objective(pipeline).calibrated(booster, prepared, target(inputs).astype(np.float64))
    assert _difference(Pipeline([*pipeline.steps[:-1], ("trees", calibrated)]), _asked()) < 1e-6


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
    pipeline = _fitted(build(), _late)
    numeric = [(column, at) for column, at in _thresholds(pipeline) if column < len(COLUMNS.numeric) and at < 1e30]
    assert len(numeric) > 100
    nearest = np.array([at for _, at in numeric], np.float32)
    for values in (np.nextafter(nearest, np.float32(-np.inf)), nearest, np.nextafter(nearest, np.float32(np.inf))):
        inputs = _rows(len(numeric), seed=3)
        for row, (column, _) in enumerate(numeric):
            inputs.iloc[row, column] = values[row]
        assert _difference(pipeline, inputs) < 1e-6


def test_a_model_that_learned_nothing_is_equal() -> None:
    """Trees of one leaf: the share of late rows is the answer, not its logistic."""
    for booster in (XGBClassifier(min_child_weight=1e9, **EXTREME), LGBMClassifier(min_child_samples=10**6, **LIGHT)):
        assert _difference(_fitted(booster, _late), _asked()) < 1e-6


def test_rankers_are_equal() -> None:
    """A ranker's scores of the rows of a group agree."""
    inputs = _rows(2000, seed=0)
    groups: list[tuple[Any, dict[str, Any]]] = [
        (LGBMRanker(**LIGHT), {"trees__group": [20] * 100}),
        (XGBRanker(**EXTREME), {"trees__qid": np.arange(2000) // 20}),
    ]
    for booster, fit in groups:
        pipeline = _pipeline(booster).fit(inputs, _outcome(inputs), **fit)
        assert _difference(pipeline, _asked()) < 1e-5


@pytest.mark.parametrize(
    ("booster", "target", "says"),
    [
        (
            LGBMClassifier(boosting_type="rf", subsample=0.5, subsample_freq=1, **LIGHT),
            _late,
            "LGBMClassifier with boosting=rf cannot be exported to ONNX; write boosting=gbdt or dart or goss",
        ),
        (LGBMRegressor(linear_tree=True, **LIGHT), _minutes, "linear_tree=1 .* write linear_tree=0"),
        (LGBMClassifier(zero_as_missing=True, **LIGHT), _late, "zero_as_missing=1 .* write zero_as_missing=0"),
        (LGBMRegressor(reg_sqrt=True, **LIGHT), _minutes, "reg_sqrt=1 .* write reg_sqrt=0"),
        (LGBMClassifier(sigmoid=2.0, **LIGHT), _late, "sigmoid=2 .* write sigmoid=1"),
        (LGBMClassifier(objective="ova", **LIGHT), _outcome, "objective=multiclassova .* write objective=binary or"),
        (LGBMRegressor(objective="mape", **LIGHT), _minutes, "objective=mape .* write objective=regression or"),
        (XGBClassifier(booster="dart", **EXTREME), _late, "XGBClassifier with booster=dart .* write booster=gbtree"),
        (XGBRegressor(booster="gblinear", n_jobs=1), _minutes, "booster=gblinear .* write booster=gbtree"),
        (XGBClassifier(num_parallel_tree=3, **EXTREME), _late, "num_parallel_tree=3 .* write num_parallel_tree=1"),
        (XGBClassifier(missing=0.0, **EXTREME), _late, r"missing=0\.0 .* write missing=nan"),
        (XGBClassifier(objective="multi:softmax", **EXTREME), _outcome, "multi:softmax .* or multi:softprob"),
        (XGBClassifier(multi_strategy="multi_output_tree", **EXTREME), _outcome, "multi_strategy=multi_output_tree"),
        (
            XGBRegressor(objective="reg:quantileerror", quantile_alpha=[0.1, 0.9], **EXTREME),
            _minutes,
            "quantile_alpha=a list .* write quantile_alpha=one number",
        ),
        (XGBRFClassifier(**EXTREME), _late, "XGBRFClassifier cannot be exported to ONNX; write one of XGBClassifier"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_setting_that_onnx_would_get_wrong_is_refused(booster: Any, target: Any, says: str) -> None:
    """The error names the estimator, its setting, and what to write instead."""
    pipeline = _fitted(booster, target)
    with pytest.raises(DefinitionError, match=says):
        _exported(pipeline)


def _squared(labels: Any, scores: Any) -> Any:
    return scores - labels, np.ones_like(scores)


@pytest.mark.parametrize("booster", [LGBMRegressor(objective=_squared, **LIGHT), XGBRegressor(objective=_squared)])
def test_an_objective_of_ones_own_is_refused(booster: Any) -> None:
    """A function as objective would not load from the stored pipeline."""
    with pytest.raises(DefinitionError, match="write objective=reg"):
        _exported(_fitted(booster, _minutes))


def test_absent_converters_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With LightGBM but without the converters, the error says what to install."""
    pipeline = _fitted(LGBMClassifier(**LIGHT), _late)
    monkeypatch.delitem(sys.modules, "smallbox.training.lightgbm_trees", raising=False)
    monkeypatch.setitem(sys.modules, "onnxmltools.convert.lightgbm.operator_converters.LightGbm", None)
    with pytest.raises(NotReady, match=r"without onnxmltools.*; pip install 'smallbox\[boosters\]'"):
        _exported(pipeline)


def test_without_boosters_nothing_of_theirs_is_imported() -> None:
    """An installation without the extra exports scikit-learn's estimators."""
    code = (
        "import sys; import smallbox.training.export, smallbox.training.fit; "
        "print(sorted({'lightgbm', 'xgboost', 'onnxmltools'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - this interpreter
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("booster", "types"),
    [
        (
            LGBMClassifier(**LIGHT),
            ["collections.OrderedDict", "lightgbm.basic.Booster", "lightgbm.sklearn.LGBMClassifier"],
        ),
        (XGBClassifier(**EXTREME), ["xgboost.core.Booster", "xgboost.sklearn.XGBClassifier"]),
    ],
)
def test_a_stored_booster_loads_with_the_types_that_are_named(booster: Any, types: list[str]) -> None:
    """A skops file needs the booster's types trusted, and answers as before when it is loaded."""
    pipeline = _fitted(booster, _late)
    content = skops.io.dumps(pipeline)
    assert skops.io.get_untrusted_types(data=content) == types
    loaded = skops.io.loads(content, trusted=types)
    np.testing.assert_array_equal(_own(loaded, _asked()), _own(pipeline, _asked()))
