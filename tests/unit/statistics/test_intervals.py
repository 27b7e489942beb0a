"""Proves the bounds of means: right quantiles, right variances, and the true mean beyond them as seldom as stated."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t as student  # type: ignore[import-untyped]

from smallbox.arrays import Floats, Ints
from smallbox.statistics.estimates import Estimate
from smallbox.statistics.intervals import (
    NOTHING,
    Interval,
    bisect,
    clustered_gap,
    clustered_interval,
    interval,
    mean_interval,
    student_quantile,
)
from smallbox.statistics.ratios import mean_of_ratios

values = st.floats(-100, 100).map(lambda x: round(x, 3))


@pytest.mark.parametrize("confidence", [0.6, 0.9, 0.95, 0.975, 0.999])
def test_a_quantile_is_that_of_scipy(confidence: float) -> None:
    """For 1 to 200 degrees of freedom, and for many."""
    for degrees in (*range(1, 201), 1_000, 9_999):
        assert student_quantile(degrees, confidence) == pytest.approx(student.ppf(confidence, degrees), rel=1e-6)


@given(st.lists(st.tuples(values, st.integers(0, 5)), min_size=1, max_size=40))
def test_the_bounds_of_a_clustered_mean_are_those_of_the_textbook(rows: list[tuple[float, int]]) -> None:
    """The squared sums of the clusters' residuals, over the squared number of rows; of one cluster as if of none.

    As many clusters count as equal ones would have to be for the same sum of squared shares.
    """
    numbers, clusters = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    mean, groups = sum(numbers) / len(numbers), sorted(set(clusters.tolist()))
    found = clustered_interval(numbers, clusters)
    assert found.value == pytest.approx(mean, abs=1e-9)
    effective = round(len(rows) ** 2 / sum(sum(at == group for _, at in rows) ** 2 for group in groups))
    if effective == 1:
        assert found.as_json() == mean_interval(numbers).as_json()
        return
    sums = [sum(x - mean for x, at in rows if at == group) for group in groups]
    variance = sum(one**2 for one in sums) / len(rows) ** 2 * len(groups) / (len(groups) - 1)
    width = float(student.ppf(0.95, effective - 1)) * math.sqrt(variance)
    # widths, not bounds: a bound near 0 is a difference of two larger numbers
    assert (mean - found.low, found.high - mean) == pytest.approx((width, width), rel=2e-6, abs=1e-9)


@given(st.lists(values, min_size=2, max_size=40), st.data())
def test_clusters_are_names_and_rows_of_their_own_are_independent(numbers: list[float], data: st.DataObject) -> None:
    """What clusters are called and how rows stand changes nothing; a cluster for each row is Student's own interval."""
    own = clustered_interval(np.array(numbers), np.arange(len(numbers)))
    error = float(np.std(numbers, ddof=1)) / math.sqrt(len(numbers))
    assert own.high - own.value == pytest.approx(student.ppf(0.95, len(numbers) - 1) * error, rel=1e-6, abs=1e-9)
    order = np.array(data.draw(st.permutations(range(len(numbers)))))
    clusters = order % 3
    one, other = (
        clustered_interval(np.array(numbers), clusters),
        clustered_interval(np.array(numbers)[order], -7 * clusters[order]),
    )
    assert one.as_json() == pytest.approx(other.as_json(), abs=1e-9)


Draw = Callable[[np.random.Generator], tuple[Floats, Ints]]


def _equal_days(random: np.random.Generator) -> tuple[Floats, Ints]:
    days = np.repeat(np.arange(7), 40)
    return random.normal(size=280) + 0.5 * random.normal(size=7)[days], days


def _unequal_days(random: np.random.Generator) -> tuple[Floats, Ints]:
    days = np.repeat(np.arange(14), 10 + 5 * np.arange(14))
    return random.normal(size=len(days)) + 0.3 * random.normal(size=14)[days], days


def _no_effect(random: np.random.Generator) -> tuple[Floats, Ints]:
    return random.normal(size=600), np.arange(600) // 20


@pytest.mark.parametrize("draw", [_equal_days, _unequal_days, _no_effect])
def test_the_true_mean_lies_beyond_a_bound_in_5_percent(draw: Draw) -> None:
    """Over 2,000 samples of 7, 14 and 30 days, at either side: neither more often, nor hardly ever."""
    random = np.random.default_rng(8)
    found = [clustered_interval(*draw(random)) for _ in range(2_000)]
    for beyond in ([one.low > 0 for one in found], [one.high < 0 for one in found]):
        assert 0.03 <= np.mean(beyond) <= 0.07


@pytest.mark.parametrize("sizes", [(500, 1), (500, 50), (500, 200), (500, 500, 3), (300, 300, 300, 3)])
def test_a_day_of_few_rows_does_not_narrow_the_bounds(sizes: tuple[int, ...]) -> None:
    """A period that begins or ends within a day leaves a few rows there: 5 % at either side all the same."""
    random, days = np.random.default_rng(8), np.repeat(np.arange(len(sizes)), sizes)
    found = [clustered_interval(random.normal(size=len(days)), days) for _ in range(2_000)]
    for beyond in ([one.low > 0 for one in found], [one.high < 0 for one in found]):
        assert np.mean(beyond) <= 0.07


def test_rows_counted_as_independent_would_miss_far_more_often() -> None:
    """Where days differ, bounds that do not know the days miss the true mean in more than 20 % at either side."""
    random = np.random.default_rng(8)
    found = [mean_interval(_equal_days(random)[0]) for _ in range(2_000)]
    assert np.mean([one.low > 0 for one in found]) > 0.2


def test_one_value_has_a_mean_and_no_bounds() -> None:
    """No value has neither, and a single day of many rows has those of its rows."""
    assert mean_interval(np.array([3.0])).as_json() == {"value": 3.0, "low": None, "high": None}
    assert mean_interval(np.empty(0)).as_json() == NOTHING.as_json()
    assert mean_interval(np.empty(0)).as_json() == {"value": None, "low": None, "high": None}


@given(st.floats(-5, 5), st.floats(0, 5))
def test_an_interval_comes_back_from_its_document(value: float, variance: float) -> None:
    """Value and bounds; what is unknown stays unknown."""
    found = interval(Estimate(value, variance))
    assert Interval.from_json(found.as_json()) == found
    assert Interval.from_json(NOTHING.as_json()).as_json() == NOTHING.as_json()


@given(st.floats(0, 1), st.floats(0.001, 3))
def test_bisection_finds_where_a_condition_ends(at: float, width: float) -> None:
    """Within a millionth of the width; at an end where it holds nowhere or everywhere."""
    end = at * width
    assert bisect(lambda x: x < end, 0.0, width) == pytest.approx(end, abs=1e-6 * width)


counts = st.lists(st.tuples(st.integers(0, 3), st.integers(1, 3)), min_size=2, max_size=30)


@given(counts)
def test_one_ratio_has_the_textbooks_bounds(rows: list[tuple[int, int]]) -> None:
    """The delta method of a ratio of means: variances and covariance of numerators and denominators."""
    above, below = (np.array([row[at] for row in rows], float) for at in (0, 1))
    found = mean_of_ratios([(above, below)])
    ratio, (spread, shared, other) = above.mean() / below.mean(), np.cov(above, below)[[0, 0, 1], [0, 1, 1]]
    variance = (spread - 2 * ratio * shared + ratio**2 * other) / below.mean() ** 2 / len(rows)
    assert found.value == pytest.approx(ratio)
    assert found.high - found.value == pytest.approx(1.6448536 * math.sqrt(max(variance, 0)), rel=1e-5, abs=1e-7)


def test_the_true_mean_of_ratios_lies_beyond_a_bound_in_5_percent() -> None:
    """Over 2,000 samples of 300 rows with two ratios that share their rows: about 5 % at either side."""
    random, truth = np.random.default_rng(9), (2 * 0.4 / (0.5 + 0.6) + 0.3) / 2
    found = []
    for _ in range(2_000):
        kind = random.choice(4, size=300, p=[0.4, 0.1, 0.2, 0.3])
        hit, one, other = kind == 0, kind <= 1, (kind == 0) | (kind == 2)
        pairs = [(2.0 * hit, one * 1.0 + other), ((kind == 3) * 1.0, np.ones(300))]
        found.append(mean_of_ratios(pairs))
    for beyond in ([ratio.low > truth for ratio in found], [ratio.high < truth for ratio in found]):
        assert 0.03 <= np.mean(beyond) <= 0.07


def test_no_ratio_has_no_mean() -> None:
    """As of classes of which none occurs."""
    assert mean_of_ratios([]).as_json() == NOTHING.as_json()


def test_a_gap_within_days_errs_as_seldom_as_stated() -> None:
    """Many rows against few of the same 20 days, which move both: either bound is wrong in 3 to 8 % of 1,000 draws."""
    random, wrong = np.random.default_rng(8), np.zeros(2)
    days = np.repeat(np.arange(20), 30)
    for _ in range(1_000):
        is_first = random.random(len(days)) < 0.2
        found = clustered_gap(random.normal(size=20)[days] + random.normal(size=len(days)), is_first, days)
        wrong += (found.low > 0, found.high < 0)
    assert (wrong >= 30).all(), wrong
    assert (wrong <= 80).all(), wrong


def test_a_gap_without_one_side_is_unknown() -> None:
    """All rows on one side tell no difference; rows of one day count as independent."""
    rows, day = np.array([1.0, 2.0, 3.0]), np.zeros(3, int)
    assert math.isnan(clustered_gap(rows, np.ones(3, bool), day).value)
    found = clustered_gap(np.array([1.0, 2.0, 5.0, 6.0]), np.array([True, True, False, False]), np.zeros(4, int))
    assert found.low < found.value == -4 < found.high
