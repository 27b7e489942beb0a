"""Proves that records of days merge in any order, and that the sequence of a ratio keeps its error on unequal days."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallbox.arrays import Floats
from smallbox.statistics.paired_days import (
    PairedDay,
    day_sequence,
    effective_units,
    merged_days,
    neighbour_correlation,
    paired_days,
    ratio_sequence,
)
from smallbox.statistics.sequences import mean_sequence

RUNS = 400
LOOKS = 40

rows = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 8), st.integers(0, 8)), min_size=1, max_size=30)


def _records(found: list[tuple[int, int, int]]) -> list[PairedDay]:
    """The records of rows; halves of whole numbers add up without rounding."""
    days, champion, candidate = (np.array(one, dtype=float) / 2 for one in zip(*found, strict=True))
    return paired_days(days * 2, champion, candidate)


@given(rows, st.integers(0, 30))
def test_parts_of_days_merge_to_the_whole(found: list[tuple[int, int, int]], cut: int) -> None:
    """Records of two parts, merged in either order, are those of all rows."""
    parts = [_records(part) if part else [] for part in (found[:cut], found[cut:])]
    assert merged_days(parts[0] + parts[1]) == _records(found) == merged_days(parts[1] + parts[0])


def test_parts_of_different_days_do_not_add_up() -> None:
    """Two days are two units; adding them is refused."""
    with pytest.raises(ValueError, match="days 1 and 2"):
        _ = PairedDay(1, 1, 1.0, 1.0, 0.0) + PairedDay(2, 1, 1.0, 1.0, 0.0)


@given(st.lists(st.floats(-5, 5), min_size=3, max_size=30), st.integers(1, 1000))
def test_days_of_one_size_give_the_sequence_of_their_means(means: list[float], size: int) -> None:
    """With equal sizes the ratio is the mean of the days' means, with the same bounds."""
    values = np.array(means)
    found, plain = ratio_sequence(values * size, np.full(len(values), float(size))), mean_sequence(values)
    assert (found.value, found.low, found.high) == pytest.approx((plain.value, plain.low, plain.high), abs=1e-9)


def test_tiny_days_are_not_counted_as_days() -> None:
    """Three days of 900 rows prove nothing, and twenty days of 3 rows beside them do not help; empty days neither."""
    sums, sizes = np.array([900.0, 901.0, 899.0]), np.full(3, 900.0)
    more = np.concatenate([sums, np.full(20, 3.0)]), np.concatenate([sizes, np.full(20, 3.0)])
    assert effective_units(more[1]) < 3.2
    assert math.isinf(ratio_sequence(*more).high)
    padded = ratio_sequence(np.append(sums, 0.0), np.append(sizes, 0.0))
    assert padded == ratio_sequence(sums, sizes)
    assert padded.units == 3


def _sizes(kind: str, random: np.random.Generator) -> Floats:
    if kind == "weekends are quiet":
        return np.where(np.arange(LOOKS) % 7 < 5, 300.0, 60.0)
    if kind == "log-normal":
        return np.ceil(random.lognormal(4, 1, LOOKS))
    return np.full(LOOKS, 200.0)


@pytest.mark.parametrize("kind", ["equal", "weekends are quiet", "log-normal"])
def test_looking_every_day_keeps_the_error_of_a_mean_over_rows(kind: str) -> None:
    """Days with effects of their own and unequal sizes: at most 5 % of the sequences ever exclude the true mean."""
    random, wrong = np.random.default_rng(5), 0
    for _ in range(RUNS):
        sizes = _sizes(kind, random)
        sums = sizes * random.normal(0.1, 1.0, LOOKS) + np.sqrt(sizes) * random.normal(0, 5.0, LOOKS)
        looks = (ratio_sequence(sums[:seen], sizes[:seen]) for seen in range(2, LOOKS + 1))
        wrong += any(not one.low <= 0.1 <= one.high for one in looks)
    assert wrong / RUNS <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / RUNS)


def _lasting(random: np.random.Generator, correlation: float, count: int) -> Floats:
    """Values of days, each like the one before to a degree; their variance is 1."""
    found = [float(random.normal())]
    for own in random.normal(size=count - 1) * math.sqrt(1 - correlation**2):
        found.append(correlation * found[-1] + own)
    return np.array(found)


def test_days_that_last_keep_the_error_only_with_their_correlation() -> None:
    """Weather that lasts: independent days would be wrong in more than 15 % of 28 daily looks, days in at most 12 %.

    The stated two-sided error is 10 %; days keep it to within the sampling error of 400 runs.
    """
    random, sizes = np.random.default_rng(6), np.full(28, 100.0)
    wrong = {ratio_sequence: 0, day_sequence: 0}
    for _ in range(RUNS):
        sums = _lasting(random, 0.4, 28) * sizes
        for sequence in wrong:
            looks = (sequence(sums[:seen], sizes[:seen], 0.1, 14) for seen in range(2, 29))
            wrong[sequence] += any(one.excludes_zero for one in looks)
    assert wrong[ratio_sequence] / RUNS > 0.15
    assert wrong[day_sequence] / RUNS <= 0.10 + 2 * math.sqrt(0.1 * 0.9 / RUNS)


def test_the_correlation_is_learned() -> None:
    """Three days say what is usual, and a thousand what is true; a negative one counts as none."""
    random = np.random.default_rng(7)
    assert neighbour_correlation(np.zeros(3), np.ones(3)) == pytest.approx(0.2 * 10 / 13)
    assert neighbour_correlation(_lasting(random, 0.5, 1000), np.ones(1000)) == pytest.approx(0.5, abs=0.1)
    assert neighbour_correlation(np.array([1.0, -1.0] * 20), np.ones(40)) == 0.0
