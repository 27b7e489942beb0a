"""Builds and checks a model's estimator, before any data is read."""

import inspect
from pathlib import Path
from typing import Any

from sklearn.base import is_classifier, is_regressor
from sklearn.pipeline import Pipeline

from smallbox.define.mistakes import mistake_of
from smallbox.define.model import Model
from smallbox.errors import DefinitionError


def build_pipeline(model: Model) -> Pipeline:
    """The unfitted pipeline of a model.

    Raises:
        DefinitionError: when the estimator returns no pipeline, or one that does not end in a classifier; with file and
            line.
    """
    place = _place_of(model)
    try:
        return _checked(model.name, model.estimator(model.columns))
    except Exception as error:  # the user's function may raise anything
        raise mistake_of(error, Path(place[0]).parent, place).as_error() from error


def _checked(model: str, built: Any) -> Pipeline:
    if not isinstance(built, Pipeline):
        raise DefinitionError(
            f"model {model}: the estimator returns {type(built).__name__}; return a scikit-learn Pipeline, like "
            "Pipeline([('prepare', prepare(columns)), ('trees', HistGradientBoostingClassifier())])"
        )
    last = type(built.steps[-1][1]).__name__
    if is_regressor(built):
        raise DefinitionError(
            f"model {model}: the estimator ends in the regressor {last}, and the label is boolean; end it in a "
            f"classifier{_twin(last)}"
        )
    if not is_classifier(built):
        raise DefinitionError(f"model {model}: the estimator ends in {last}, which is not a classifier; end it in one")
    return built


def _twin(regressor: str) -> str:
    """A hint at the classifier of the same family.

    >>> _twin("HistGradientBoostingRegressor"), _twin("Lasso")
    (', like HistGradientBoostingClassifier', '')
    """
    if not regressor.endswith("Regressor"):
        return ""
    return f", like {regressor.removesuffix('Regressor')}Classifier"


def _place_of(model: Model) -> tuple[str, int]:
    try:
        return inspect.getsourcefile(model.estimator) or "", inspect.getsourcelines(model.estimator)[1]
    except (OSError, TypeError):  # a function without a file, like one of the standard library
        return "", 1
