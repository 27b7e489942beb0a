"""Simulated rows of several days, with one thing shifted."""

import numpy as np

from smallbox.arrays import Floats
from smallbox.monitoring.observed_rows import ObservedRows


def _chance(odds: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-odds)))


def shifted_rows(
    random: np.random.Generator,
    first: int,
    days: int,
    each: int,
    shift: float = 0.0,
    concept: float = 0.0,
    day_sd: float = 0.2,
    bend: float = 0.0,
) -> ObservedRows:
    """Rows whose score knows two inputs, ``x`` and ``z``.

    Args:
        random: the generator.
        first: the first day.
        days: how many.
        each: rows a day.
        shift: added to ``x``; the label given the inputs stays.
        concept: added to the log-odds of the label where ``x`` is positive; the inputs stay.
        day_sd: how much days differ, in log-odds of the label.
        bend: how much the label's log-odds rise above ``x = 1``, of which the score knows nothing.
    """
    day = np.repeat(np.arange(first, first + days), each)
    x, z = random.normal(size=day.size) + shift, random.normal(size=day.size)
    effect = np.repeat(random.normal(0, day_sd, days), each)
    odds = -1 + 0.7 * x + 0.7 * z
    happened = random.random(day.size) < _chance(odds + bend * (x > 1) + concept * (x > 0) + effect)
    place = np.array(["JFK", "LGA", "EWR"], object)[random.integers(0, 3, day.size)]
    inputs = {"x": x, "z": z, "place": place}
    return ObservedRows(day, inputs, _chance(odds)[:, None], happened.astype(float))


def another_prior(random: np.random.Generator, rows: ObservedRows, kept: float) -> ObservedRows:
    """The rows with only a share of the positive ones; inputs given the label stay."""
    return rows.take((rows.labels == 0) | (random.random(len(rows)) < kept))
