"""LightGBM's trees in ONNX: onnxmltools' converter, with two gaps closed.

- LightGBM compares ``x <= threshold`` in float64, ONNX stores the threshold as float32. Thresholds are rounded down, as
  those of scikit-learn's trees are, see :mod:`smallbox.training.float32_thresholds`; but only in the graph: for a
  float32 ``x`` both thresholds send it the same way.
- A calibration reads the classifier's ``decision_function``; the converter knows probabilities only.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
from lightgbm import LGBMClassifier, LGBMRegressor
from onnxmltools.convert.lightgbm.operator_converters.LightGbm import convert_lightgbm
from skl2onnx.common.shape_calculator import (
    calculate_linear_classifier_output_shapes,
    calculate_linear_regressor_output_shapes,
)
from sklearn.base import is_classifier

from smallbox.prepare.graph import Converter
from smallbox.training.booster_nodes import Setting, TreeContainer, check_settings
from smallbox.training.float32_thresholds import round_down

_OBJECTIVES: Final[Mapping[type, tuple[str, ...]]] = {
    LGBMClassifier: ("binary", "multiclass"),
    LGBMRegressor: ("regression", "regression_l1", "huber", "quantile", "poisson", "gamma", "tweedie"),
}
_EXPORTED: Final[Mapping[str, tuple[str, ...]]] = {
    "boosting": ("gbdt", "dart", "goss"),
    "linear_tree": ("0",),
    "zero_as_missing": ("0",),
    "reg_sqrt": ("0",),
    "sigmoid": ("1",),
}
"""By parameter the values that the converter gets right; it ignores the others."""
_PARAMETER: Final = re.compile(r"^\[(\w+): (.*)\]$", re.MULTILINE)


def _settings(booster: Any) -> Iterator[Setting]:
    """The settings by LightGBM's own names, whichever alias the definition wrote."""
    actual = dict(_PARAMETER.findall(booster.booster_.model_to_string(num_iteration=1)))
    for name, exported in {"objective": _OBJECTIVES[type(booster)], **_EXPORTED}.items():
        yield Setting(name, actual[name], exported)


def _convert(scope: Any, operator: Any, container: Any) -> None:
    """Add the nodes of a booster to a graph: the signature of a skl2onnx converter.

    Raises:
        DefinitionError: when a setting is not exported.
    """
    booster = operator.raw_operator
    check_settings(booster, _settings(booster))
    raw = is_classifier(booster) and scope.get_options(booster, {"raw_scores": False})["raw_scores"]

    def change(tree: dict[str, Any]) -> None:
        with np.errstate(over="ignore"):  # a split of missing from all other values has the threshold 1e300
            tree["nodes_values"] = round_down(np.array(tree["nodes_values"], np.float64)).tolist()
        if raw:
            tree["post_transform"] = "NONE"

    convert_lightgbm(scope, operator, TreeContainer(container, change))


_CLASSIFIER: Final = Converter(_convert, calculate_linear_classifier_output_shapes)
_NUMBER: Final = Converter(_convert, calculate_linear_regressor_output_shapes)

LIGHTGBM: Final[Mapping[type, Converter]] = {
    LGBMClassifier: _CLASSIFIER,
    LGBMRegressor: _NUMBER,
}
"""By LightGBM class the converter of its instances."""
