"""The logarithmic loss of probabilities, and probabilities whose level is that of the outcomes."""

from typing import Final

from smallbox.arrays import Floats, Ints, np

_MIN_PROBABILITY: Final = 1e-15
"""Probabilities are clipped to this: a probability of exactly 0 for an outcome that happens would cost infinity."""

_NEWTON_STEPS: Final = 25


def log_losses(given: Floats) -> Floats:
    """The negative natural logarithm of the probability that each row gave to its outcome.

    >>> log_losses(np.array([0.9, 0.5, 0.0])).round(3).tolist()
    [0.105, 0.693, 34.539]
    """
    return -np.log(np.clip(given, _MIN_PROBABILITY, 1))


def level_set(probabilities: Floats, classes: Ints) -> Floats:
    """The probabilities with one factor for each class, so that their mean is about the share of each class.

    The factors are fitted to the outcomes, with a standard normal prior on their logarithms, which keeps the factor of
    a class that never happened finite. What is left of a loss then is how well the rows are told apart.

    Args:
        probabilities: ``(n, k)``; each row adds up to 1.
        classes: ``(n,)`` the class that happened; -1 where it is none of them.

    >>> set_ = level_set(np.tile([0.9, 0.1], (1000, 1)), np.arange(1000) % 2)
    >>> set_[0].round(2).tolist()
    [0.5, 0.5]
    """
    known, count = classes >= 0, probabilities.shape[1]
    logs = np.log(np.clip(probabilities, _MIN_PROBABILITY, 1))
    happened = np.bincount(classes[known], minlength=count)
    offsets = np.zeros(count)
    for _ in range(_NEWTON_STEPS):
        chance = _softmax(logs[known] + offsets)
        information = np.diag(chance.sum(axis=0) + 1.0) - chance.T @ chance
        step = np.linalg.solve(information, happened - chance.sum(axis=0) - offsets)
        offsets = offsets + step / max(1.0, float(np.abs(step).max()))
    return _softmax(logs + offsets)


def _softmax(logs: Floats) -> Floats:
    shifted = np.exp(logs - logs.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))
