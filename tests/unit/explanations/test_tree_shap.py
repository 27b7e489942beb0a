"""Proves that contributions of trees are their Shapley values, by the definition over all subsets of features."""

from typing import Any, Final

import numpy as np
import pytest
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor, RandomForestClassifier
from xgboost import XGBRegressor

from smallbox.arrays import Floats, Floats32, Ints
from smallbox.explanations.preparation import Preparation
from smallbox.explanations.tree_nodes import TreeNodes
from tests.fakes.boosted import COLUMNS, EXTREME, LIGHT, late, minutes, outcome
from tests.fakes.explained import Explained, owners_of, shapley

FEATURES: Final = len(COLUMNS.names)
TREES: Final[list[Any]] = [
    (HistGradientBoostingClassifier(max_iter=4, max_leaf_nodes=12, random_state=0), late),
    (HistGradientBoostingClassifier(max_iter=2, max_leaf_nodes=9, random_state=0), outcome),
    (RandomForestClassifier(3, max_leaf_nodes=30, random_state=0), outcome),
    (LGBMClassifier(**LIGHT | {"n_estimators": 3}), late),
    (XGBRegressor(**EXTREME | {"n_estimators": 3, "max_depth": 6}), minutes),
]


def average(nodes: TreeNodes, owners: Ints, row: Floats32, known: frozenset[int], node: int) -> Floats:
    """What a tree gives a row of which some features are known: both ways, by their counts, where one is not."""
    if nodes.is_leaf[node]:
        own: Floats = nodes.weights[node]
        return own
    ways = (int(nodes.if_true[node]), int(nodes.if_false[node]))
    if int(owners[nodes.column[node]]) in known:
        holds = nodes.holds(row[None, :], np.array([node]))[0, 0]
        return average(nodes, owners, row, known, ways[0] if holds else ways[1])
    shares = nodes.covers[list(ways)] / nodes.covers[node]
    parts = [share * average(nodes, owners, row, known, way) for share, way in zip(shares, ways, strict=True)]
    return np.asarray(parts[0] + parts[1], np.float64)


@pytest.mark.parametrize(("estimator", "target"), TREES, ids=lambda one: getattr(one, "__name__", type(one).__name__))
def test_contributions_are_shapley_values(estimator: Any, target: Any) -> None:
    """Each feature of each row has the value that the definition gives; a one-hot encoded text is one feature."""
    explained = Explained(estimator, target)
    model = explained.explainer.model
    assert model is not None
    assert isinstance(model.sums, TreeNodes)
    nodes, owners = model.sums, model.owners
    assert (owners == FEATURES - 1).sum() > 1, "the text has several columns"
    found = explained.contributions()
    prepared = Preparation(model.preparation).prepared(explained.rows.numeric, explained.rows.categorical)
    for at, row in enumerate(prepared[::6]):

        def game(known: frozenset[int], row: Floats32 = row) -> Floats:
            given: Floats = np.sum([average(nodes, owners, row, known, int(root)) for root in nodes.roots], axis=0)
            return given

        np.testing.assert_allclose(found.values[6 * at], shapley(game, FEATURES), rtol=0, atol=1e-12)
        np.testing.assert_allclose(found.base[6 * at] - model.intercepts, game(frozenset()), rtol=0, atol=1e-12)


def test_against_a_declared_row_they_are_shapley_values_too() -> None:
    """With a baseline row an unknown feature has that row's value, instead of an average."""
    estimator = HistGradientBoostingRegressor(max_iter=4, max_leaf_nodes=12, random_state=0)
    explained = Explained(estimator, minutes, baseline={"delay": 3.0, "depot": "west", "distance": None})
    explainer, found = explained.explainer, explained.contributions()
    row = explainer.baseline
    assert (row.numeric[1], np.isnan(row.numeric[2]), row.categorical.tolist()) == (3.0, True, ["west"])
    for at in range(0, 60, 6):

        def game(known: frozenset[int], at: int = at) -> Floats:
            own = [feature in known for feature in range(FEATURES)]
            numeric = np.where(own[:3], explained.rows.numeric[at], row.numeric)
            texts = np.where(own[3:], explained.rows.categorical[at], row.categorical).astype(object)
            given: Floats = explained.scorer.score(numeric[None, :], texts[None, :])[0]
            return given

        np.testing.assert_allclose(found.values[at], shapley(game, FEATURES), rtol=0, atol=2e-5)
    assert found.background == "baseline_row"


def test_the_counts_of_nodes_are_those_of_the_training_rows() -> None:
    """Every tree counts all training rows at its root, and each node the rows of both its ways."""
    explainer = Explained(LGBMClassifier(**LIGHT), late).explainer
    assert explainer.model is not None
    nodes = explainer.model.sums
    assert isinstance(nodes, TreeNodes)
    inner = np.flatnonzero(~nodes.is_leaf)
    assert set(nodes.covers[nodes.roots]) == {1500.0}
    both = nodes.covers[nodes.if_true[inner]] + nodes.covers[nodes.if_false[inner]]
    np.testing.assert_array_equal(both, nodes.covers[inner])
    assert owners_of(explainer).tolist() == [0, 1, 2, 3, 3, 3, 3]


def test_a_tree_of_a_single_leaf_is_part_of_the_base() -> None:
    """A forest that learns nothing explains nothing: all of its answer is the base."""
    estimator = RandomForestClassifier(3, max_leaf_nodes=None, min_samples_leaf=1500, random_state=0)
    found = Explained(estimator, outcome).contributions()
    assert found.method == "tree_shap"
    assert not found.values.any()
    np.testing.assert_allclose(found.totals.sum(axis=1), 1, atol=1e-6)


def test_lightgbm_agrees() -> None:
    """Where each feature is one column, contributions and base are those that LightGBM computes itself."""
    estimator = LGBMRegressor(**LIGHT)
    steps = [("numbers", ColumnTransformer([("numbers", "passthrough", [0, 1, 2])]))]
    explained = Explained(estimator, minutes, steps=steps)
    found = explained.contributions()
    prepared = explained.pipeline[:-1].transform(explained.rows.inputs)
    own = np.asarray(estimator.booster_.predict(prepared, pred_contrib=True))
    np.testing.assert_allclose(found.values[:, :3, 0], own[:, :3], atol=1e-4)
    np.testing.assert_allclose(found.base[:, 0], own[:, 3], atol=1e-4)
    assert not found.values[:, 3].any(), "the text reaches no tree"
