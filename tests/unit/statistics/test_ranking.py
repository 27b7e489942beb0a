"""Proves how well scores rank: equal to scikit-learn's figures, lawful, and honest about how sure they are."""

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import ndcg_score, roc_auc_score

from smallbox.arrays import Bools, Floats
from smallbox.statistics.ranking import auc, auc_interval, ndcg

SIXTEENTHS = st.integers(0, 16).map(lambda n: n / 16)
"""Coarse, so that scores tie; exact in binary, so that laws hold to the bit."""


@st.composite
def rows(draw: st.DrawFn) -> tuple[Floats, Bools]:
    """Scores and labels of some rows, both classes among them."""
    size = draw(st.integers(2, 40))
    scores = draw(arrays(np.float64, size, elements=SIXTEENTHS))
    labels = draw(arrays(np.bool_, size - 2))
    return scores, np.concatenate((labels, [True, False]))


def sample(random: np.random.Generator, size: int, shift: float) -> tuple[Floats, Bools]:
    """Normal scores, the positives' higher by ``shift``."""
    labels = random.random(size) < 0.3
    return random.normal(size=size) + shift * labels, labels


@given(rows())
def test_auc_is_that_of_scikit_learn(drawn: tuple[Floats, Bools]) -> None:
    """On any rows, ties included, it equals the reference implementation's."""
    scores, labels = drawn
    assert auc(scores, labels).value == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)


@given(rows())
def test_auc_sees_only_the_order(drawn: tuple[Floats, Bools]) -> None:
    """An increasing map of the scores changes neither AUC nor its variance; reversing them mirrors it."""
    scores, labels = drawn
    same, mirrored, ours = auc(scores**3 * 7 - 2, labels), auc(-scores, labels), auc(scores, labels)
    np.testing.assert_allclose([same.value, same.variance], [ours.value, ours.variance], atol=1e-12)
    assert mirrored.value == pytest.approx(1 - ours.value, abs=1e-12)


def test_the_stated_error_of_an_auc_is_its_error() -> None:
    """Over 400 samples, DeLong's variance is the variance that AUC shows, and 95 % intervals cover 95 % of the time."""
    random = np.random.default_rng(1)
    found = [auc(*sample(random, 300, 1.0)) for _ in range(400)]
    values, variances = np.array([f.value for f in found]), np.array([f.variance for f in found])
    assert variances.mean() == pytest.approx(values.var(), rel=0.15)
    truth = 0.5 * (1 + math.erf(1.0 / 2))
    assert (np.abs(values - truth) < 1.96 * np.sqrt(variances)).mean() == pytest.approx(0.95, abs=0.03)


@given(rows())
def test_the_bounds_of_an_auc_enclose_it_and_mirror_it(drawn: tuple[Floats, Bools]) -> None:
    """Between 0 and 1, on either side of the AUC; of reversed scores they are the mirror image."""
    scores, labels = drawn
    found, mirrored = auc_interval(scores, labels), auc_interval(-scores, labels)
    assert 0 <= found.low <= found.value <= found.high <= 1
    one, other = (found.low, found.value, found.high), (1 - mirrored.high, 1 - mirrored.value, 1 - mirrored.low)
    np.testing.assert_allclose(one, other, atol=1e-6)


@pytest.mark.parametrize(("size", "shift"), [(60, 0.0), (60, 1.5), (60, 3.0), (1_000, 1.0)])
def test_the_true_auc_lies_beyond_a_bound_in_5_percent(size: int, shift: float) -> None:
    """Over 1,000 samples, at either side, of a few rows that are ranked almost perfectly too."""
    random = np.random.default_rng(5)
    truth = 0.5 * (1 + math.erf(shift / 2))
    found = [auc_interval(*sample(random, size, shift)) for _ in range(1_000)]
    assert np.mean([one.low > truth for one in found]) <= 0.07
    assert np.mean([one.high < truth for one in found]) <= 0.07
    widths = np.array([one.high - one.low for one in found])
    assert widths.mean() < 6 * np.std([one.value for one in found]), "they are not simply wide"


def test_one_class_alone_has_no_auc() -> None:
    """Nor have no rows: all three numbers are unknown."""
    for scores in (np.array([0.2, 0.4]), np.empty(0)):
        found = auc_interval(scores, np.ones(len(scores), bool))
        assert math.isnan(found.value)
        assert found.as_json() == {"value": None, "low": None, "high": None}


grades = st.lists(st.integers(0, 4), min_size=1, max_size=6)


@given(st.lists(grades, min_size=1, max_size=4), st.integers(1, 7), st.data())
def test_ndcg_is_that_of_scikit_learn(drawn: list[list[int]], at: int, data: st.DataObject) -> None:
    """Of each group whose gains differ, however the rows of groups are mixed, where no scores tie."""
    gains = np.array([gain for group in drawn for gain in group], float)
    groups = np.repeat(np.arange(len(drawn)) * 3, [len(group) for group in drawn])
    scores = np.array(data.draw(st.permutations(range(len(gains)))), float)
    expected = [
        ndcg_score([2.0 ** gains[groups == group] - 1], [scores[groups == group]], k=at)
        for group in np.unique(groups)
        if _orders(gains[groups == group], at)
    ]
    order = np.array(data.draw(st.permutations(range(len(gains)))))
    np.testing.assert_allclose(ndcg(scores[order], gains[order], groups[order], at), expected, atol=1e-12)


def _orders(gains: Floats, at: int) -> bool:
    """Whether the order of a group matters."""
    found = {round(_gained(order, at), 9) for order in itertools.permutations(gains.tolist())}
    return len(found) > 1


def _gained(gains: Any, at: int) -> float:
    return float(sum((2**gain - 1) / math.log2(place + 2) for place, gain in enumerate(gains[:at])))


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3)), min_size=2, max_size=6), st.integers(1, 7))
def test_equal_scores_stand_in_the_worst_order(drawn: list[tuple[int, int]], at: int) -> None:
    """Of all orders that the scores allow, the smallest gain counts, divided by the greatest of any order."""
    scores, gains = np.array([row[0] for row in drawn], float), np.array([row[1] for row in drawn], float)
    allowed = [
        _gained(gains[list(order)].tolist(), at)
        for order in itertools.permutations(range(len(drawn)))
        if (np.diff(scores[list(order)]) <= 0).all()
    ]
    best = max(_gained(order, at) for order in itertools.permutations(gains.tolist()))
    found = ndcg(scores, gains, np.zeros(len(drawn), np.int64), at)
    expected = [min(allowed) / best] if _orders(gains, at) else []
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_constant_scores_gain_nothing_by_luck() -> None:
    """In a group of one good row of four they have the gain of its last place, however the rows stand."""
    for at in range(4):
        gains = (np.arange(4) == at).astype(float)
        found = ndcg(np.zeros(4), gains, np.zeros(4, np.int64), at=10)
        assert found.tolist() == [pytest.approx(1 / math.log2(5))]
