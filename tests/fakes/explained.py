"""Fitted pipelines with what explains them, and Shapley values by their definition."""

import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, Final

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from smallbox.arrays import Floats, Ints
from smallbox.define import prepare
from smallbox.explanations.explainer import Contributions, Explainer
from smallbox.prepare.pipeline import Numeric
from smallbox.registry.scorer import Scorer
from smallbox.training.examples import Requests
from smallbox.training.explain_version import explainer_of
from smallbox.training.export import to_onnx
from smallbox.training.float32_thresholds import round_thresholds
from tests.fakes.boosted import COLUMNS, asked_rows, number_rows, objective_for

FILLED: Final[Numeric] = {"impute": "median", "scale": "standard"}
"""For estimators that take no missing numbers."""


def shapley(game: Callable[[frozenset[int]], Floats], players: int) -> Floats:
    """Shapley values by their definition, over all subsets, ``(players, ...)``."""
    found = []
    for player in range(players):
        others = [one for one in range(players) if one != player]
        total = 0.0 * game(frozenset())
        for size in range(players):
            weight = math.factorial(size) * math.factorial(players - size - 1) / math.factorial(players)
            for known in itertools.combinations(others, size):
                total = total + weight * (game(frozenset((*known, player))) - game(frozenset(known)))
        found.append(total)
    return np.array(found)


class Explained:
    """An exported model with its explainer.

    Attributes:
        explainer: of its training rows.
        scorer: the exported graph.
        rows: to explain; some have missing numbers and unseen texts.
    """

    def __init__(
        self,
        estimator: Any,
        target: Callable[[pd.DataFrame], Any],
        *,
        numeric: Any = None,
        steps: list[tuple[str, Any]] | None = None,
        baseline: Mapping[str, Any] | None = None,
    ) -> None:
        inputs, later = number_rows(1500, seed=0), number_rows(400, seed=5)
        first = steps or [("prepare", prepare(COLUMNS, numeric=numeric))]
        pipeline = Pipeline([*first, ("last", estimator)]).fit(inputs, target(inputs))
        self.objective = objective_for(pipeline)
        round_thresholds(estimator)
        last = estimator
        if self.objective.calibration_share:
            prepared, labels = pipeline[:-1].transform(later), np.asarray(target(later), float)
            last = self.objective.calibrated(estimator, prepared, labels, np.zeros(len(later), int))
        self.pipeline = Pipeline([*first, ("last", last)])
        self.onnx = to_onnx([self.pipeline], COLUMNS, self.objective)
        self.scorer = Scorer(self.onnx)
        self.train = requests_with(inputs)
        model: Any = SimpleNamespace(objective=self.objective, columns=COLUMNS, explain_baseline=baseline)
        self.explainer: Explainer = explainer_of(model, [self.pipeline], self.onnx, self.train)
        self.rows = requests_with(asked_rows()).take(slice(380, 440))

    def contributions(self) -> Contributions:
        """Of the rows."""
        return self.explainer.contributions(self.rows.numeric, self.rows.categorical, self.scorer.score)

    def outputs(self) -> Floats:
        """Of the rows, as they are served."""
        return self.scorer.score(self.rows.numeric, self.rows.categorical)


def requests_with(inputs: pd.DataFrame) -> Requests:
    """Rows as requests."""
    return Requests(COLUMNS, inputs, np.arange(len(inputs)))


def owners_of(explainer: Explainer) -> Ints:
    """The feature of each prepared column."""
    assert explainer.model is not None
    return explainer.model.owners


def without_reading(explainer: Explainer) -> Explainer:
    """The same, explained by permutations."""
    return replace(explainer, model=None)
