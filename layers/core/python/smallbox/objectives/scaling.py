"""Scales the scores of a ranking, so that their differences mean something: log-odds that the better row is ahead."""

from collections.abc import Callable
from typing import Any, Final, Self

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin

from smallbox.arrays import Floats
from smallbox.objectives.golden_section import smallest

_LOG_RANGE: Final = (-5.0, 5.0)


class ScaledScore(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """A fitted regressor whose predictions are multiplied by a positive scale; their order stays.

    Attributes:
        estimator: the fitted regressor.
        scale: above 0.
    """

    def __init__(self, estimator: Any, scale: float = 1.0) -> None:
        self.estimator = estimator
        self.scale = scale

    def __sklearn_is_fitted__(self) -> bool:
        """Always: it scales a fitted regressor, also before its own scale is found."""
        return True

    def fit(self, inputs: Any, loss: Callable[[Floats], float]) -> Self:
        """Find the scale with the smallest loss on rows that did not fit the regressor.

        Args:
            inputs: ``n`` rows.
            loss: the mean loss of scores ``(n,)``; NaN when the rows have none, then the scale stays 1.
        """
        scores = np.asarray(self.estimator.predict(inputs), np.float64)
        if not np.isnan(loss(scores)):
            self.scale = float(np.exp(smallest(lambda log: loss(scores * np.exp(log)), _LOG_RANGE)))
        return self

    def predict(self, inputs: Any) -> Floats:
        """The scaled predictions."""
        return np.asarray(self.estimator.predict(inputs), np.float64) * self.scale
