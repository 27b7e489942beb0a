"""Proves distances from a reference: the right size, and bounds that hold as often as they say."""

import math

import numpy as np

from smallbox.statistics.day_distance import distances
from smallbox.statistics.day_streams import DayStreams


def test_a_distance_is_that_of_the_means_in_deviations_of_a_day() -> None:
    """Reference days around 10 with deviation 1, the last week at 12."""
    reference = np.tile([9.0, 11.0], 20)[:, None]
    found = distances(DayStreams(range(47), ["a"], np.concatenate([reference, np.full((7, 1), 12.0)])), 39)
    assert found[0].raw.value == 2
    assert math.isclose(found[0].daily.value, 2 / reference.std(ddof=1))
    assert found[0].raw.low < 2 < found[0].raw.high
    assert found[0].daily.low < found[0].daily.value < found[0].daily.high


def test_the_true_distance_is_below_a_bound_as_seldom_as_stated() -> None:
    """The one-sided bound at 95 % is missed in 2 to 8 % of 600 streams whose days depend on the day before."""
    rng = np.random.default_rng(21)
    noise = rng.standard_normal((200, 600))
    for day in range(1, 200):
        noise[day] = 0.4 * noise[day - 1] + noise[day]
    found = distances(DayStreams(range(200), [str(at) for at in range(600)], noise), 190)
    missed = np.mean([one.raw.low > 0 for one in found])
    assert 0.02 <= missed <= 0.08


def test_streams_with_hardly_any_day_have_no_distance() -> None:
    """Two days are too few on either side."""
    values = np.array([[1.0, np.nan]] * 10 + [[2.0, 1.0]] * 2)
    assert distances(DayStreams(range(12), ["a", "b"], values), 9) == []
