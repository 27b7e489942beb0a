"""Temperature scaling: calibrates the probabilities of a classifier with one parameter.

scikit-learn's own, ``CalibratedClassifierCV(method="temperature")``, has no conversion to ONNX.
"""

from typing import Any, Final, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

from smallbox.arrays import Floats, Ints

SMALLEST: Final = 1e-30
"""A probability of 0 counts as this, in both engines; it is a float32."""
_LOG_RANGE: Final = (-3.0, 3.0)
_STEPS: Final = 60
_GOLDEN: Final = (5**0.5 - 1) / 2


class TemperatureScaled(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A fitted classifier whose log probabilities are divided by a temperature (Guo et al., ICML 2017).

    ``softmax(log(p) / t)``: above 1 the probabilities become more alike, below 1 more extreme. Their order stays.

    Attributes:
        estimator: the fitted classifier.
        temperature: above 0.
    """

    def __init__(self, estimator: Any, temperature: float = 1.0) -> None:
        self.estimator = estimator
        self.temperature = temperature

    def __sklearn_is_fitted__(self) -> bool:
        """Always: it scales a fitted classifier, also before its own temperature is found."""
        return True

    @property
    def classes_(self) -> Any:
        """The classes of the classifier."""
        return self.estimator.classes_

    def fit(self, inputs: Any, labels: Ints) -> Self:
        """Find the temperature with the smallest log loss on rows that did not fit the classifier."""
        logs, at = _logs(self.estimator.predict_proba(inputs)), np.searchsorted(self.classes_, labels)
        self.temperature = float(np.exp(_smallest(lambda t: _mean_log_loss(logs / np.exp(t), at))))
        return self

    def predict_proba(self, inputs: Any) -> Floats:
        """The calibrated probability of each class, ``(n, c)``."""
        return np.exp(_log_softmax(_logs(self.estimator.predict_proba(inputs)) / self.temperature))

    def predict(self, inputs: Any) -> Any:
        """The most probable class."""
        return self.classes_[self.predict_proba(inputs).argmax(axis=1)]


def _logs(probabilities: Floats) -> Floats:
    found: Floats = np.log(np.maximum(probabilities, SMALLEST))
    return found


def _log_softmax(logs: Floats) -> Floats:
    shifted = logs - logs.max(axis=1, keepdims=True)
    found: Floats = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return found


def _mean_log_loss(logs: Floats, at: Ints) -> float:
    return -float(_log_softmax(logs)[np.arange(len(at)), at].mean())


def _smallest(loss: Any) -> float:
    """Where a function with one minimum is smallest, by golden-section search."""
    low, high = _LOG_RANGE
    for _ in range(_STEPS):
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        low, high = (low, right) if loss(left) < loss(right) else (left, high)
    return (low + high) / 2
