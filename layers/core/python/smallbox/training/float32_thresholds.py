"""Rounds tree thresholds to float32, so that ONNX and scikit-learn take the same branch for every float32 input.

A tree tests ``x <= threshold`` with a float64 threshold; ONNX stores it as float32. Rounding to the nearest float32 may
raise the threshold to the next float32 above it, and an input of that value takes the other branch. Rounding down is
exact for every float32 x: ``x <= t`` exactly when ``x <= t rounded down``, because no float32 lies between the two.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt


def round_down(thresholds: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The largest float32 at or below each threshold.

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
