"""Proves that a version's dependencies are the packages of its own pipeline."""

from importlib.metadata import version

from lightgbm import LGBMClassifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import Pipeline
from xgboost import XGBClassifier

from smallbox.define import Columns, prepare
from smallbox.training.dependencies import dependencies_of

COLUMNS = Columns(("weight",), ("depot",))
ALWAYS = {"scikit-learn", "skl2onnx", "onnx", "onnxruntime", "numpy", "pandas", "skops"}


def _pipeline(classifier: object) -> Pipeline:
    return Pipeline([("prepare", prepare(COLUMNS, discretize={"weight": 3})), ("trees", classifier)])


def test_a_pipeline_of_scikit_learn_names_no_booster() -> None:
    """A step of ours adds nothing either: Smallbox is not installed in an image."""
    assert dependencies_of(_pipeline(HistGradientBoostingClassifier())).keys() == ALWAYS


def test_boosters_are_named_with_their_converters() -> None:
    """By distribution, not by import: also one inside a calibration, and of every head."""
    heads = _pipeline(CalibratedClassifierCV(LGBMClassifier())), _pipeline(XGBClassifier())
    found = dependencies_of(*heads)
    assert found.keys() == ALWAYS | {"lightgbm", "xgboost-cpu", "onnxmltools"}
    assert found["xgboost-cpu"] == version("xgboost-cpu")
