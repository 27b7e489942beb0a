"""Proves the number of a pair of columns: its rank correlation, whatever their margins, with the variance it has."""

import math

import numpy as np
import pytest

from smallbox.arrays import Floats
from smallbox.statistics.pair_correlation import PairSums

NORMAL = np.sort(np.random.default_rng(0).standard_normal(20_000))


def _scores(rng: np.random.Generator, rows: int, correlation: float, shift: float = 0.0, scale: float = 1.0) -> Floats:
    """``(2, 1, rows)``: the places of two normal columns in a standard one, of which the first moved."""
    values = rng.multivariate_normal([0, 0], [[1, correlation], [correlation, 1]], rows).T
    values[0] = values[0] * scale + shift
    return np.asarray(np.searchsorted(NORMAL, values) / len(NORMAL) - 0.5)[:, None, :]


def test_it_is_the_rank_correlation() -> None:
    """Of 20,000 normal rows correlated by -.5 it is -.483 (Pearson's formula), in Fisher's transform."""
    (found,) = PairSums.of(*_scores(np.random.default_rng(3), 20_000, -0.5)).numbers()
    assert math.tanh(found.value) == pytest.approx(-6 / math.pi * math.asin(0.25), abs=0.015)


def test_parts_of_a_day_add_up_and_missing_values_leave_their_row_out() -> None:
    """Two halves give the day; a row with one value of the two changes nothing."""
    first, second = _scores(np.random.default_rng(4), 100, 0.5)
    halves = PairSums.of(first[:, :50], second[:, :50]) + PairSums.of(first[:, 50:], second[:, 50:])
    more = [np.append(first, [[np.nan, 0.4]], axis=1), np.append(second, [[0.4, np.nan]], axis=1)]
    for found in (halves, PairSums.of(*more)):
        np.testing.assert_allclose(found.sums, PairSums.of(first, second).sums)


def test_a_column_that_moves_or_widens_does_not_move_the_pair() -> None:
    """Half a deviation up, or 1.3 times as wide: the number differs by less than .03, where a flip differs by 1.05."""
    usual, moved, wider, flipped = (
        PairSums.of(*_scores(np.random.default_rng(5), 50_000, *case)).numbers()[0].value
        for case in ((0.5,), (0.5, 0.5), (0.5, 0.0, 1.3), (-0.5,))
    )
    assert abs(moved - usual) < 0.03
    assert abs(wider - usual) < 0.03
    assert usual - flipped == pytest.approx(1.05, abs=0.05)


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.8])
def test_the_variance_is_that_of_many_days(correlation: float) -> None:
    """800 days of 200 rows vary as they say, within 20 %."""
    rng = np.random.default_rng(6)
    found = [PairSums.of(*_scores(rng, 200, correlation)).numbers()[0] for _ in range(800)]
    said = np.mean([one.variance for one in found])
    assert np.var([one.value for one in found]) == pytest.approx(said, rel=0.2)


def test_few_rows_and_constant_columns_have_no_number() -> None:
    """NaN, not 0; a copy of a column has a number that is finite."""
    rng = np.random.default_rng(7)
    one = rng.random((1, 50)) - 0.5
    assert math.isnan(PairSums.of(one[:, :9], one[:, :9]).numbers()[0].value)
    assert math.isnan(PairSums.of(one, np.full((1, 50), 0.1)).numbers()[0].value)
    assert 3 < PairSums.of(one, one).numbers()[0].value < 6
