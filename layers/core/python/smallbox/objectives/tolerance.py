"""How far an output of ONNX may lie from that of scikit-learn."""

from typing import Final

from smallbox.arrays import Floats, np

PROBABILITY_TOLERANCE: Final = 1e-4
"""Largest accepted difference of a probability between ONNX and scikit-learn; float32 sums of trees stay below 1e-6."""

_FLOAT32: Final = 2.0**-22
"""The rounding of a float32 number relative to it, a few times over."""


def tolerance_of_numbers(labels: Floats) -> float:
    """The largest accepted difference between ONNX and scikit-learn for an output in the unit of the labels.

    A share of their standard deviation, plus the rounding of float32, which has seven digits of any number.

    >>> round(tolerance_of_numbers(np.array([0.0, 2.0])), 6), round(tolerance_of_numbers(np.array([1e9, 1e9])))
    (0.0001, 238)
    """
    if not len(labels):
        return PROBABILITY_TOLERANCE
    return PROBABILITY_TOLERANCE * float(labels.std()) + _FLOAT32 * float(np.abs(labels).max())
