"""XGBoost's trees in ONNX: onnxmltools' converter, with one mistake corrected.

XGBoost compares float32 with float32, so its thresholds stay as they are.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
from onnxmltools.convert.xgboost.operator_converters.XGBoost import convert_xgboost
from skl2onnx.common.shape_calculator import (
    calculate_linear_classifier_output_shapes,
    calculate_linear_regressor_output_shapes,
)
from xgboost import XGBClassifier, XGBRegressor

from smallbox.prepare.graph import Converter
from smallbox.training.booster_nodes import Setting, TreeContainer, check_settings

_OBJECTIVES: Final[Mapping[type, tuple[str, ...]]] = {
    XGBClassifier: ("binary:logistic", "multi:softprob"),
    XGBRegressor: (
        "reg:squarederror",
        "reg:squaredlogerror",
        "reg:absoluteerror",
        "reg:pseudohubererror",
        "reg:quantileerror",
        "count:poisson",
        "reg:gamma",
        "reg:tweedie",
    ),
}


def _settings(booster: Any, learner: Mapping[str, Any]) -> Iterator[Setting]:
    """The settings that the converter ignores or refuses in words of its own; the booster's kind is checked first."""
    objective = "a function" if callable(booster.objective) else learner["objective"]["name"]
    yield Setting("objective", objective, _OBJECTIVES[type(booster)])
    yield Setting("missing", str(booster.missing), ("nan",))
    trees = learner["gradient_booster"]
    yield Setting("booster", trees["name"], ("gbtree",))
    yield Setting("num_parallel_tree", trees["gbtree_model_param"]["num_parallel_tree"], ("1",))
    yield Setting("multi_strategy", learner["learner_train_param"]["multi_strategy"], ("one_output_per_tree",))
    is_one = learner["learner_model_param"]["num_target"] == "1"
    yield Setting("quantile_alpha", "one number" if is_one else "a list", ("one number",))


def _convert(scope: Any, operator: Any, container: Any) -> None:
    """Add the nodes of a booster to a graph: the signature of a skl2onnx converter.

    Raises:
        DefinitionError: when a setting is not exported.
    """
    booster = operator.raw_operator
    learner = json.loads(booster.get_booster().save_config())["learner"]
    check_settings(booster, _settings(booster, learner))
    share = json.loads(learner["learner_model_param"]["base_score"])[0]

    def change(tree: dict[str, Any]) -> None:
        # the converter takes the share for its logarithm of odds when the first tree is a single leaf
        if tree.get("post_transform") == "LOGISTIC":
            tree["base_values"] = [float(np.log(share / (1 - share)))]

    convert_xgboost(scope, operator, TreeContainer(container, change))


_CLASSIFIER: Final = Converter(_convert, calculate_linear_classifier_output_shapes)
_NUMBER: Final = Converter(_convert, calculate_linear_regressor_output_shapes)

XGBOOST: Final[Mapping[type, Converter]] = {
    XGBClassifier: _CLASSIFIER,
    XGBRegressor: _NUMBER,
}
"""By XGBoost class the converter of its instances."""
