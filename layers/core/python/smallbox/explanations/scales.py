"""The scales that contributions add up on, and how a score follows from a sum."""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from smallbox.arrays import Floats

LOG_ODDS: Final = "log_odds"
LOG_ODDS_BEFORE_CALIBRATION: Final = "log_odds_before_calibration"
CLASS_LOG_ODDS: Final = "class_log_odds"
PROBABILITY_BEFORE_CALIBRATION: Final = "probability_before_calibration"
LOGARITHM: Final = "log"
SCORE: Final = "score"

_CLOSEST: Final = 1e-7
"""A probability is at least so far from 0 and 1; float32 cannot tell more."""

_TO_SCALE: Final[Mapping[str, Callable[[Floats], Floats]]] = {
    SCORE: lambda outputs: outputs,
    LOG_ODDS: lambda outputs: log_odds(np.clip(outputs, _CLOSEST, 1 - _CLOSEST)),
}


def log_odds(probabilities: Floats) -> Floats:
    """The logarithm of the odds.

    >>> log_odds(np.array([0.5])).tolist()
    [0.0]
    """
    found: Floats = np.log(probabilities / (1 - probabilities))
    return found


def probability(odds: Floats) -> Floats:
    """The inverse of :func:`log_odds`."""
    found: Floats = 0.5 * (1 + np.tanh(odds / 2))
    return found


def on_scale(name: str, outputs: Floats) -> Floats:
    """A model's outputs on a scale that needs nothing but them: ``score`` or ``log_odds``."""
    return _TO_SCALE[name](outputs)
