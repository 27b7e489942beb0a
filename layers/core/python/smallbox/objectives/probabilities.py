"""The logarithmic loss of probabilities."""

from typing import Final

from smallbox.arrays import Floats, np

_MIN_PROBABILITY: Final = 1e-15
"""Probabilities are clipped to this: a probability of exactly 0 for an outcome that happens would cost infinity."""


def log_losses(given: Floats) -> Floats:
    """The negative natural logarithm of the probability that each row gave to its outcome.

    >>> log_losses(np.array([0.9, 0.5, 0.0])).round(3).tolist()
    [0.105, 0.693, 34.539]
    """
    return -np.log(np.clip(given, _MIN_PROBABILITY, 1))
