"""Tree thresholds as float32, so that ONNX and scikit-learn send every float32 input the same way.

A tree asks ``x <= threshold`` with a float64 threshold; ONNX stores it as float32. Rounded to the nearest, it may reach
a value that lies just above, which then goes the other way. Rounded down, the answer is the same for every float32 x:
``x <= t`` exactly when ``x <= t rounded down``, since no float32 lies between them.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt


def round_down(thresholds: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The greatest float32 that is not above each threshold.

    >>> bool(round_down(np.array([0.1]))[0] <= 0.1)
    True
    """
    nearest = thresholds.astype(np.float32)
    below = np.nextafter(nearest, np.float32(-np.inf))
    return np.where(nearest > thresholds, below, nearest).astype(np.float64)


def round_thresholds(estimator: Any) -> None:
    """Round the thresholds of a fitted tree, forest or boosted ensemble down, in place; others stay as they are."""
    for thresholds in _thresholds(estimator):
        thresholds[...] = round_down(thresholds)


def _thresholds(estimator: Any) -> Iterator[npt.NDArray[np.float64]]:
    if hasattr(estimator, "tree_"):
        yield estimator.tree_.threshold
    for stage in getattr(estimator, "_predictors", ()):
        for predictor in stage:
            yield predictor.nodes["num_threshold"]
    for member in np.ravel(getattr(estimator, "estimators_", ())):
        yield from _thresholds(member)
