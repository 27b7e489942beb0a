"""Proves that whatever can be exported is explained, and that its contributions add up to what is served."""

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, Final

import numpy as np
import pytest
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    BaggingRegressor,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import Lasso, LogisticRegression, PoissonRegressor, Ridge
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier
from xgboost import XGBClassifier, XGBRegressor

from smallbox.arrays import Floats
from smallbox.define import prepare
from smallbox.explanations.scales import probability
from smallbox.objectives.regression import Regression
from smallbox.registry.scorer import Scorer
from smallbox.training.explain_version import explainer_of
from smallbox.training.export import to_onnx
from tests.fakes.boosted import COLUMNS, EXTREME, LIGHT, asked_rows, count, late, minutes, number_rows, outcome
from tests.fakes.explained import FILLED, Explained, owners_of, requests_with

SMALL: Final = {"n_estimators": 5, "random_state": 0}
HIST: Final = {"max_iter": 8, "random_state": 0}
READ: Final[list[tuple[Any, Any, Any, str, str]]] = [
    (HistGradientBoostingClassifier(**HIST), late, None, "tree_shap", "log_odds"),
    (HistGradientBoostingClassifier(**HIST), outcome, None, "tree_shap", "class_log_odds"),
    (HistGradientBoostingRegressor(**HIST), minutes, None, "tree_shap", "score"),
    (HistGradientBoostingRegressor(loss="poisson", **HIST), count, None, "tree_shap", "log"),
    (RandomForestClassifier(**SMALL), late, None, "tree_shap", "log_odds"),
    (RandomForestRegressor(**SMALL), minutes, None, "tree_shap", "score"),
    (ExtraTreesRegressor(**SMALL), minutes, FILLED, "tree_shap", "score"),
    (GradientBoostingClassifier(**SMALL), late, FILLED, "tree_shap", "log_odds"),
    (GradientBoostingClassifier(**SMALL), outcome, FILLED, "tree_shap", "class_log_odds"),
    (GradientBoostingRegressor(**SMALL), minutes, FILLED, "tree_shap", "score"),
    (DecisionTreeClassifier(max_depth=4, random_state=0), late, None, "tree_shap", "log_odds"),
    (LGBMClassifier(**LIGHT), late, None, "tree_shap", "log_odds"),
    (LGBMClassifier(**LIGHT), outcome, None, "tree_shap", "class_log_odds"),
    (LGBMRegressor(**LIGHT), minutes, None, "tree_shap", "score"),
    (LGBMRegressor(objective="poisson", **LIGHT), count, None, "tree_shap", "log"),
    (XGBClassifier(**EXTREME), outcome, None, "tree_shap", "class_log_odds"),
    (XGBRegressor(**EXTREME), minutes, None, "tree_shap", "score"),
    (XGBRegressor(objective="count:poisson", **EXTREME), count, None, "tree_shap", "log"),
    (LogisticRegression(), late, FILLED, "linear", "log_odds"),
    (LogisticRegression(), outcome, FILLED, "linear", "class_log_odds"),
    (LinearSVC(), late, FILLED, "linear", "log_odds"),
    (Ridge(), minutes, FILLED, "linear", "score"),
    (Lasso(), minutes, FILLED, "linear", "score"),
    (PoissonRegressor(), count, FILLED, "permutations", "score"),
    (BaggingRegressor(n_estimators=3, random_state=0), minutes, FILLED, "permutations", "score"),
    (MLPClassifier(max_iter=20, random_state=0), late, FILLED, "permutations", "log_odds"),
    (MLPClassifier(max_iter=20, random_state=0), outcome, FILLED, "permutations", "score"),
    (MLPRegressor(max_iter=20, random_state=0), minutes, FILLED, "permutations", "score"),
]


def _softmax(values: Floats) -> Floats:
    powers = np.exp(values)
    found: Floats = powers / powers.sum(axis=1, keepdims=True)
    return found


SCORE: Final[Mapping[str, Callable[[Floats], Floats]]] = {
    "log_odds": probability,
    "class_log_odds": _softmax,
    "log": np.exp,
    "score": lambda totals: totals,
}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    ("estimator", "target", "numeric", "method", "scale"),
    READ,
    ids=[f"{type(one[0]).__name__}-{one[1].__name__}" for one in READ],
)
def test_contributions_add_up_to_the_score(estimator: Any, target: Any, numeric: Any, method: str, scale: str) -> None:
    """Base and contributions add up to the served score on its scale, for rows with missing and unseen values too."""
    explained = Explained(estimator, target, numeric=numeric)
    found, served = explained.contributions(), explained.outputs()
    assert (found.method, found.scale) == (method, scale)
    np.testing.assert_allclose(SCORE[scale](found.totals), served, rtol=1e-5, atol=1e-5)


def test_a_forest_of_classes_is_explained_before_its_calibration() -> None:
    """A temperature divides the logarithm of a forest's probabilities, so these are what contributions add up to."""
    explained = Explained(RandomForestClassifier(**SMALL), outcome, numeric=FILLED)
    found = explained.contributions()
    assert found.scale == "probability_before_calibration"
    own = explained.pipeline[-1].estimator.predict_proba(explained.pipeline[:-1].transform(explained.rows.inputs))
    np.testing.assert_allclose(found.totals, own, atol=1e-5)


def test_xgboost_is_explained_before_its_calibration() -> None:
    """Its calibration reads a probability, so contributions add up to the log-odds of that."""
    explained = Explained(XGBClassifier(**EXTREME), late)
    found = explained.contributions()
    assert found.scale == "log_odds_before_calibration"
    estimator = explained.pipeline[-1].calibrated_classifiers_[0].estimator
    own = estimator.predict_proba(explained.pipeline[:-1].transform(explained.rows.inputs))[:, 1:]
    np.testing.assert_allclose(probability(found.totals), own, atol=1e-5)


def test_columns_of_several_features_are_explained_by_permutations() -> None:
    """A principal component belongs to no feature, so trees behind it are explained by the features themselves."""
    steps = [("prepare", prepare(COLUMNS, numeric=FILLED)), ("components", PCA(3))]
    explained = Explained(RandomForestRegressor(**SMALL), minutes, steps=steps)
    found = explained.contributions()
    assert found.method == "permutations"
    np.testing.assert_allclose(found.totals, explained.outputs(), atol=1e-9)


def test_every_column_of_a_feature_is_its_own() -> None:
    """Number, indicator of a missing one, and bins belong to the number; so do a text's columns, rare ones too."""
    prepared = prepare(
        COLUMNS,
        numeric={"impute": "median", "indicate_missing": True},
        discretize={"delay": (0.0, 10.0)},
        categorical={"min_frequency": 400},
    )
    explainer = Explained(Ridge(), minutes, steps=[("prepare", prepared)]).explainer
    assert owners_of(explainer).tolist() == [0, 2, 0, 2, 1, 1, 1, *[3] * (len(owners_of(explainer)) - 7)]


def test_a_linear_model_is_compared_with_the_median_row() -> None:
    """A feature adds its coefficient times the distance from the median; a row of medians has no contributions."""
    explained = Explained(Ridge(), minutes, numeric={"impute": 0.0})
    found, train = explained.contributions(), explained.train
    medians = np.nanmedian(train.numeric, axis=0)
    np.testing.assert_allclose(explained.explainer.baseline.numeric, medians)
    numbers = np.nan_to_num(explained.rows.numeric.astype(float)) - medians
    np.testing.assert_allclose(found.values[:, :3, 0], numbers * explained.pipeline[-1].coef_[:3], rtol=1e-5, atol=1e-6)
    assert (found.background, found.is_exact) == ("baseline_row", True)


def test_sorted_quantiles_take_their_contributions_along() -> None:
    """Heads that cross are served sorted; each output's contributions add up to it, as served."""
    inputs, heads = number_rows(1500, seed=0), [HistGradientBoostingRegressor(**HIST), *(LGBMRegressor(**LIGHT),) * 2]
    objective = Regression("squared", quantiles=(0.1, 0.9))
    pipelines = [
        Pipeline([("prepare", prepare(COLUMNS)), ("trees", clone(trees))]).fit(inputs, sign * minutes(inputs))
        for sign, trees in zip((1, 1, -1), heads, strict=True)
    ]
    onnx = to_onnx(pipelines, COLUMNS, objective)
    model: Any = SimpleNamespace(objective=objective, columns=COLUMNS, explain_baseline=None)
    explainer = explainer_of(model, pipelines, onnx, requests_with(inputs))
    rows, scorer = requests_with(asked_rows()), Scorer(onnx)
    found = explainer.contributions(rows.numeric, rows.categorical, scorer.score)
    assert found.method == "tree_shap"
    np.testing.assert_allclose(found.totals, scorer.score(rows.numeric, rows.categorical), atol=1e-4)
    assert len({tuple(one) for one in found.base.tolist()}) == 2, "the quantiles cross in some rows"
