"""Proves that settings of LightGBM and XGBoost which ONNX would get wrong are refused, and that models are stored."""

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import skops.io
from lightgbm import LGBMClassifier, LGBMRegressor
from xgboost import XGBClassifier, XGBRegressor, XGBRFClassifier

from smallbox.errors import DefinitionError, NotReady
from tests.fakes.boosted import EXTREME, LIGHT, asked_rows, exported, fitted, late, minutes, outcome, own_answers


@pytest.mark.parametrize(
    ("booster", "target", "says"),
    [
        (
            LGBMClassifier(boosting_type="rf", subsample=0.5, subsample_freq=1, **LIGHT),
            late,
            "LGBMClassifier with boosting=rf cannot be exported to ONNX; write boosting=gbdt or dart or goss",
        ),
        (LGBMRegressor(linear_tree=True, **LIGHT), minutes, "linear_tree=1 .* write linear_tree=0"),
        (LGBMClassifier(zero_as_missing=True, **LIGHT), late, "zero_as_missing=1 .* write zero_as_missing=0"),
        (LGBMRegressor(reg_sqrt=True, **LIGHT), minutes, "reg_sqrt=1 .* write reg_sqrt=0"),
        (LGBMClassifier(sigmoid=2.0, **LIGHT), late, "sigmoid=2 .* write sigmoid=1"),
        (LGBMClassifier(objective="ova", **LIGHT), outcome, "objective=multiclassova .* write objective=binary or"),
        (LGBMRegressor(objective="mape", **LIGHT), minutes, "objective=mape .* write objective=regression or"),
        (XGBClassifier(booster="dart", **EXTREME), late, "XGBClassifier with booster=dart .* write booster=gbtree"),
        (XGBRegressor(booster="gblinear", n_jobs=1), minutes, "booster=gblinear .* write booster=gbtree"),
        (XGBClassifier(num_parallel_tree=3, **EXTREME), late, "num_parallel_tree=3 .* write num_parallel_tree=1"),
        (XGBClassifier(missing=0.0, **EXTREME), late, r"missing=0\.0 .* write missing=nan"),
        (XGBClassifier(objective="multi:softmax", **EXTREME), outcome, "multi:softmax .* or multi:softprob"),
        (XGBClassifier(multi_strategy="multi_output_tree", **EXTREME), outcome, "multi_strategy=multi_output_tree"),
        (
            XGBRegressor(objective="reg:quantileerror", quantile_alpha=[0.1, 0.9], **EXTREME),
            minutes,
            "quantile_alpha=a list .* write quantile_alpha=one number",
        ),
        (XGBRFClassifier(**EXTREME), late, "XGBRFClassifier cannot be exported to ONNX; write one of XGBClassifier"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_setting_that_onnx_would_get_wrong_is_refused(booster: Any, target: Any, says: str) -> None:
    """The error names the estimator, its setting, and what to write instead."""
    pipeline = fitted(booster, target)
    with pytest.raises(DefinitionError, match=says):
        exported(pipeline)


def _squared(labels: Any, scores: Any) -> Any:
    return scores - labels, np.ones_like(scores)


@pytest.mark.parametrize("booster", [LGBMRegressor(objective=_squared, **LIGHT), XGBRegressor(objective=_squared)])
def test_an_objective_of_ones_own_is_refused(booster: Any) -> None:
    """A function as objective would not load from the stored pipeline."""
    with pytest.raises(DefinitionError, match="write objective=reg"):
        exported(fitted(booster, minutes))


def test_absent_converters_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With LightGBM but without the converters, the error says what to install."""
    pipeline = fitted(LGBMClassifier(**LIGHT), late)
    monkeypatch.delitem(sys.modules, "smallbox.training.lightgbm_trees", raising=False)
    monkeypatch.setitem(sys.modules, "onnxmltools.convert.lightgbm.operator_converters.LightGbm", None)
    with pytest.raises(NotReady, match=r"without onnxmltools.*; pip install 'smallbox\[boosters\]'"):
        exported(pipeline)


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
    pipeline = fitted(booster, late)
    content = skops.io.dumps(pipeline)
    assert skops.io.get_untrusted_types(data=content) == types
    loaded = skops.io.loads(content, trusted=types)
    np.testing.assert_array_equal(own_answers(loaded, asked_rows()), own_answers(pipeline, asked_rows()))
