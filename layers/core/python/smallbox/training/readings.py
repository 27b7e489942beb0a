"""How a fitted estimator's raw sums become its outputs: what the contributions of an answer add up to.

There may be two ways, as boosters hand either log-odds or a probability to their calibration. The right one is found by
trying: see :mod:`smallbox.training.explain_version`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.calibration import CalibratedClassifierCV

from smallbox.arrays import Floats
from smallbox.explanations.scales import (
    CLASS_LOG_ODDS,
    LOG_ODDS,
    LOG_ODDS_BEFORE_CALIBRATION,
    LOGARITHM,
    PROBABILITY_BEFORE_CALIBRATION,
    SCORE,
    probability,
)
from smallbox.explanations.terms import Scale
from smallbox.objectives.scaling import ScaledScore
from smallbox.objectives.temperature import SMALLEST, TemperatureScaled


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """One way from the raw sums of an estimator to its outputs.

    Attributes:
        scale: what ``sums * factor + offset`` is.
        factor: a linear calibration's.
        offset: likewise; for each output.
        outputs: the outputs of values on the scale.
    """

    scale: Scale
    factor: float
    offset: Floats
    outputs: Callable[[Floats], Floats]


def readings(estimator: Any, sums: Floats, outputs: Floats) -> Iterator[Reading]:
    """The ways that are possible, the best to explain with first.

    Args:
        estimator: the last step of a fitted pipeline.
        sums: ``(n, o)`` raw sums of some rows.
        outputs: ``(n, o)`` their outputs.
    """
    nothing = np.zeros(sums.shape[1])
    if isinstance(estimator, CalibratedClassifierCV):
        yield from _of_sigmoid(estimator, nothing)
    elif isinstance(estimator, TemperatureScaled):
        yield from _of_temperature(estimator, nothing)
    else:
        factor = estimator.scale if isinstance(estimator, ScaledScore) else 1.0
        yield Reading(SCORE, factor, nothing, lambda values: values)
        if (outputs > 0).all():
            # some exported graphs multiply the exponential by a constant
            yield Reading(LOGARITHM, 1.0, np.median(np.log(outputs) - sums, axis=0), np.exp)


def _of_sigmoid(calibrated: Any, nothing: Floats) -> Iterator[Reading]:
    sigmoid = calibrated.calibrated_classifiers_[0].calibrators[0]
    slope, intercept = float(sigmoid.a_), float(sigmoid.b_)
    yield Reading(LOG_ODDS, -slope, nothing - intercept, probability)
    yield Reading(
        LOG_ODDS_BEFORE_CALIBRATION, 1.0, nothing, lambda odds: probability(-(slope * probability(odds) + intercept))
    )


def _of_temperature(scaled: TemperatureScaled, nothing: Floats) -> Iterator[Reading]:
    yield Reading(CLASS_LOG_ODDS, 1 / scaled.temperature, nothing, _softmax)
    yield Reading(
        PROBABILITY_BEFORE_CALIBRATION, 1.0, nothing,
        lambda shares: _softmax(np.log(np.maximum(shares, SMALLEST)) / scaled.temperature),
    )  # fmt: skip


def _softmax(values: Floats) -> Floats:
    powers = np.exp(values - values.max(axis=1, keepdims=True))
    found: Floats = powers / powers.sum(axis=1, keepdims=True)
    return found


def scale_without_sums(estimator: Any) -> Scale:
    """The scale for a model that is explained by its outputs alone."""
    return LOG_ODDS if isinstance(estimator, CalibratedClassifierCV) else SCORE
