"""Missing values in scikit-learn's trees and forests in ONNX.

A tree of scikit-learn sends a missing value left or right, as it learnt. skl2onnx 1.20 leaves that out, so the exported
tree sends every missing value right. Boosted trees of scikit-learn are converted right.
"""

from functools import cache
from typing import Any, Final

import numpy as np
from skl2onnx import update_registered_converter
from skl2onnx._supported_operators import sklearn_operator_name_map
from skl2onnx.common._registration import get_converter, get_shape_calculator
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor, RandomForestClassifier, RandomForestRegressor
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, ExtraTreeRegressor

from smallbox.training.booster_nodes import TreeContainer

FORESTS: Final = (
    DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, ExtraTreeRegressor, ExtraTreesClassifier,
    ExtraTreesRegressor, RandomForestClassifier, RandomForestRegressor,
)  # fmt: skip
"""The estimators whose conversion is completed here."""


@cache
def register_forest_converters() -> None:
    """Let skl2onnx convert trees and forests with the way of missing values; once per process."""
    for kind in FORESTS:
        _register(kind)


def _register(kind: type) -> None:
    alias = sklearn_operator_name_map[kind]
    known = get_converter(alias)

    def convert(scope: Any, operator: Any, container: Any) -> None:
        forest = operator.raw_operator
        known(scope, operator, TreeContainer(container, lambda tree: _send_missing(tree, forest)))

    options = known.get_allowed_options()
    update_registered_converter(kind, f"Smallbox{kind.__name__}", get_shape_calculator(alias), convert, options=options)


def _send_missing(tree: dict[str, Any], forest: Any) -> None:
    """Set where each node sends a missing value; the branch of ``x <= threshold`` is the left one."""
    left = [one.tree_.missing_go_to_left for one in np.ravel(getattr(forest, "estimators_", forest))]
    places = zip(tree["nodes_treeids"], tree["nodes_nodeids"], tree["nodes_modes"], strict=True)
    tree["nodes_missing_value_tracks_true"] = [
        int(mode != "LEAF" and bool(left[number][node])) for number, node, mode in places
    ]
