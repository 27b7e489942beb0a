"""Normal scores of residuals with heavy tails: Student's t distribution by tables, and the choice of its tails."""

import math
from functools import lru_cache
from itertools import product
from typing import Final

import numpy as np

from smallbox.arrays import Floats, Ints

SCORE_LIMIT: Final = 4.0
"""Scores beyond are cut off, so that one day alone is not enough for an alarm."""
_DEGREES: Final = (2.5, 3.5, 5.0, 8.0, 13.0, 25.0, 60.0, 200.0)
_SCALES: Final = (1.0, 1.15, 1.35, 1.6, 2.0)
_SHAPES: Final = tuple(product(_DEGREES, _SCALES))
"""The tails to choose from: degrees of freedom, and a scale of at least 1."""
_NO_TAILS: Final = 1e-9
"""Below this a residual is rounding."""
_BIN: Final = 0.05
_BINS: Final = 160
_STEP: Final = 0.01
_END: Final = 6.0
_POOL: Final = 60.0
"""How many residuals of its own weigh as much as the tails of all streams together."""


def student_tail(points: Floats, degrees: float) -> Floats:
    """The logarithm of the probability that Student's t exceeds each point, for points of at least 0.

    By the trapezoidal rule on a grid that grows like sinh; beyond its end the density falls by its power.
    """
    at = np.sinh(np.linspace(0, 16, 8001))
    density = np.exp(_log_density(at, degrees))
    pieces = (density[1:] + density[:-1]) / 2 * np.diff(at)
    rest = density[-1] * at[-1] / degrees
    tail = np.append(np.cumsum(pieces[::-1])[::-1], 0.0) + rest
    logarithms: Floats = np.interp(np.arcsinh(points), np.arcsinh(at), np.log(np.maximum(tail / tail[0] / 2, 1e-300)))
    return logarithms


def _log_density(at: Floats, degrees: float) -> Floats:
    constant = math.lgamma((degrees + 1) / 2) - math.lgamma(degrees / 2) - math.log(degrees * math.pi) / 2
    logarithms: Floats = constant - (degrees + 1) / 2 * np.log1p(at * at / degrees)
    return logarithms


@lru_cache(maxsize=1)
def _tables() -> Floats:
    """By shape the normal score of each point of a grid that is even in arcsinh."""
    grid = np.linspace(0, SCORE_LIMIT, 801)
    normal = np.array([math.log(math.erfc(z / math.sqrt(2)) / 2) for z in grid])
    points = np.sinh(np.arange(0, _END + 2 * _STEP, _STEP))
    return np.array([np.interp(-student_tail(points / scale, nu), -normal, grid) for nu, scale in _SHAPES])


def normal_scores(residuals: Floats, shapes: Ints) -> Floats:
    """Residuals as normal scores: the normal quantile of their probability, cut off at ``SCORE_LIMIT``.

    Args:
        residuals: in units of their spread.
        shapes: the tails of each, from :meth:`StudentTails.shapes`.
    """
    place = np.minimum(np.arcsinh(np.abs(residuals)) / _STEP, _END / _STEP)
    below = place.astype(np.int64)
    tables = _tables()
    low = tables[shapes, below]
    scores: Floats = np.copysign(low + (place - below) * (tables[shapes, below + 1] - low), residuals)
    return scores


class StudentTails:
    """The tails of each stream's residuals, learnt day by day and shrunk towards those of all streams together.

    Args:
        streams: how many.
        half_life: days after which a residual weighs half.
    """

    def __init__(self, streams: int, half_life: float) -> None:
        self._decay = 0.5 ** (1 / half_life)
        self._counts = np.zeros((streams, _BINS))
        self._newest = 1.0
        self._fitted = np.full(streams, len(_SHAPES) - len(_SCALES))

    def learn(self, residuals: Floats) -> None:
        """Count the residuals of a day, in units of their spread; NaN and exact zeros show no tails."""
        # a day weighs more than those before it, which is quicker than to let all of them fade
        self._newest /= self._decay
        sizes = np.abs(residuals)
        # no comparison holds for NaN
        used = np.flatnonzero(sizes > _NO_TAILS)
        bins = np.minimum(np.arcsinh(sizes[used]) / _BIN, _BINS - 1).astype(np.int64)
        self._counts[used, bins] += self._newest

    def refit(self) -> None:
        """Take the likeliest tails anew."""
        self._counts /= self._newest
        self._newest = 1.0
        likelihoods = self._counts @ _bin_likelihoods()
        together = likelihoods.sum(axis=0) / max(float(self._counts.sum()), 1.0)
        self._fitted = np.argmax(likelihoods + _POOL * together, axis=1)

    def shapes(self, degrees: Floats) -> Ints:
        """The tails of each stream: those that were fitted, but no lighter than a spread of few days allows."""
        allowed = np.maximum(np.searchsorted(_DEGREES, degrees, side="right") - 1, 0)
        nu, scale = np.divmod(self._fitted, len(_SCALES))
        shapes: Ints = np.minimum(nu, allowed) * len(_SCALES) + scale
        return shapes


@lru_cache(maxsize=1)
def _bin_likelihoods() -> Floats:
    """The log density in the middle of each bin, under each shape."""
    middle = np.sinh((np.arange(_BINS) + 0.5) * _BIN)
    return np.array([_log_density(middle / scale, nu) - math.log(scale) for nu, scale in _SHAPES]).T
