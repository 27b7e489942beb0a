"""Proves that evidence against two rates keeps its error at all looks, by enumeration and by seeded simulation."""

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallbox.arrays import Floats
from smallbox.statistics.rate_evidence import one_rate_evidence, overdispersion, two_rates_evidence

ERROR = 0.05
RUNS = 400


def _binomial(of: int, hits: int, rate: float) -> float:
    return math.comb(of, hits) * rate**hits * (1 - rate) ** (of - hits)


@given(
    first=st.integers(0, 6),
    second=st.integers(0, 6),
    rate=st.floats(0, 1),
    margin=st.sampled_from([0.0, 0.01, 0.05, 0.2]),
    below=st.floats(0, 1),
)
def test_the_mean_evidence_of_a_block_is_at_most_one(
    first: int, second: int, rate: float, margin: float, below: float
) -> None:
    """Whatever the first arm's rate, and for every second rate within the margin: the exact mean over all outcomes."""
    other = min(1.0, rate + margin) * below
    mean = 0.0
    for a, b in product(range(first + 1), range(second + 1)):
        evidence = two_rates_evidence(np.array([[a, b]], float), np.array([[first, second]], float), margin)
        mean += math.exp(evidence[-1]) * _binomial(first, a, rate) * _binomial(second, b, other)
    assert mean <= 1 + 1e-6


@given(asked=st.integers(0, 12), limit=st.sampled_from([0.0, 0.02, 0.3]), below=st.floats(0, 1))
def test_the_mean_evidence_of_one_rate_is_at_most_one(asked: int, limit: float, below: float) -> None:
    """For every rate up to the limit: the exact mean over all outcomes."""
    mean = 0.0
    for hits in range(asked + 1):
        evidence = one_rate_evidence(np.array([float(hits)]), np.array([float(asked)]), limit)
        mean += math.exp(min(evidence[-1], 700.0)) * _binomial(asked, hits, limit * below)
    assert mean <= 1 + 1e-6


def _shared_outages(random: np.random.Generator) -> Floats:
    """Rates of 240 minutes: outages of some minutes, in which most requests fail."""
    outage = np.convolve(random.random(240) < 0.02, np.ones(5))[:240] > 0
    return np.where(outage, 0.7, 0.005)


@pytest.mark.parametrize("margin", [0.0, 0.01])
def test_outages_of_both_arms_are_no_evidence(margin: float) -> None:
    """Of 400 pairs of arms with the same outages at most 5 % ever seem to differ."""
    random, wrong = np.random.default_rng(1), 0
    for _ in range(RUNS):
        rates = _shared_outages(random)
        asked = np.stack([random.poisson(20, 240), random.poisson(2, 240)], axis=1)
        evidence = two_rates_evidence(random.binomial(asked, rates[:, None]).astype(float), asked.astype(float), margin)
        wrong += evidence.max() >= math.log(1 / ERROR)
    assert wrong / RUNS <= ERROR


def test_trouble_that_begins_late_is_found_soon() -> None:
    """After 1,000 good blocks a rate of a half is found within ten."""
    asked = np.full((1_010, 2), 10.0)
    trouble = np.zeros((1_010, 2))
    trouble[1_000:, 1] = 5.0
    evidence = two_rates_evidence(trouble, asked, 0.01)
    assert evidence[999] < 0
    assert evidence[-1] > math.log(1 / 0.001)


@pytest.mark.parametrize(("each", "expected"), [(1, 1.0), (20, 20.0)])
def test_requests_that_fail_together_count_once(each: int, expected: float) -> None:
    """Of 200 clusters, groups of 20 requests that fail together are overdispersed by about 20; single ones are not."""
    random = np.random.default_rng(3)
    groups = random.poisson(10, 200)
    failed = random.binomial(groups, 0.1).astype(np.float64)
    found = overdispersion(failed * each, groups.astype(np.float64) * each)
    assert found == pytest.approx(expected, rel=0.25)


def test_few_clusters_in_trouble_count_once_each() -> None:
    """Two units that always fail are two, however often they ask."""
    trouble = np.array([500.0, 500.0, *np.zeros(40)])
    asked = np.full(42, 500.0)
    assert trouble.sum() / overdispersion(trouble, asked) <= 2


def test_nothing_seen_is_no_evidence() -> None:
    """Without blocks there is no evidence, and without trouble nothing is overdispersed."""
    assert not len(two_rates_evidence(np.zeros((0, 2)), np.zeros((0, 2)), 0.01))
    assert not len(one_rate_evidence(np.zeros(0), np.zeros(0), 0.01))
    assert overdispersion(np.zeros(3), np.ones(3)) == 1
