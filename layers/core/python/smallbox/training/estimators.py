"""Builds and checks a model's estimators, before any data is read."""

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from sklearn.base import is_classifier, is_regressor
from sklearn.pipeline import Pipeline

from smallbox.define.mistakes import mistake_of
from smallbox.define.model import Model
from smallbox.errors import DefinitionError
from smallbox.objectives.objective import EstimatorKind

_IS_KIND: Final[Mapping[EstimatorKind, Callable[[Any], bool]]] = {
    "classifier": is_classifier,
    "regressor": is_regressor,
}


def build_pipelines(model: Model) -> list[Pipeline]:
    """The unfitted pipeline of each head of a model.

    Raises:
        DefinitionError: as :func:`build_pipeline`.
    """
    return [build_pipeline(model, head) for head in model.objective.heads]


def build_pipeline(model: Model, head: Mapping[str, float]) -> Pipeline:
    """The unfitted pipeline of one head.

    Args:
        model: whose estimator is called.
        head: the keyword arguments that the estimator gets besides the columns.

    Raises:
        DefinitionError: when the estimator returns no pipeline, or one that does not end in what the label's objective
            needs; with file and line.
    """
    place = _place_of(model)
    try:
        return _checked(model, model.estimator(model.columns, **head))
    except Exception as error:  # the user's function may raise anything
        raise mistake_of(error, Path(place[0]).parent, place).as_error() from error


def _checked(model: Model, built: Any) -> Pipeline:
    if not isinstance(built, Pipeline):
        raise DefinitionError(
            f"model {model.name}: the estimator returns {type(built).__name__}; return a scikit-learn Pipeline, like "
            "Pipeline([('prepare', prepare(columns)), ('trees', HistGradientBoostingClassifier())])"
        )
    last, needed = type(built.steps[-1][1]).__name__, model.objective.estimator
    if not _IS_KIND[needed](built):
        raise DefinitionError(
            f"model {model.name}: the estimator ends in {last}, and the label's objective, "
            f"{type(model.objective).__name__}, needs a {needed}; end it in one{_twin(last, needed)}"
        )
    return built


def _twin(last: str, needed: EstimatorKind) -> str:
    """A hint at the estimator of the same family.

    >>> _twin("HistGradientBoostingRegressor", "classifier"), _twin("Lasso", "classifier")
    (', like HistGradientBoostingClassifier', '')
    """
    other = "Classifier" if needed == "regressor" else "Regressor"
    return f", like {last.removesuffix(other)}{needed.capitalize()}" if last.endswith(other) else ""


def _place_of(model: Model) -> tuple[str, int]:
    try:
        return inspect.getsourcefile(model.estimator) or "", inspect.getsourcelines(model.estimator)[1]
    except (OSError, TypeError):  # a function without a file, like one of the standard library
        return "", 1
