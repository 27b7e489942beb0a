"""Proves the metrics: equal to scikit-learn's, lawful, and honest about how sure they are."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import log_loss as sklearn_log_loss
from sklearn.metrics import roc_auc_score

from smallbox.arrays import Bools, Floats
from smallbox.objectives.binary import log_loss, measure
from smallbox.statistics.calibration import calibration
from smallbox.statistics.ranking import auc, auc_gain

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
def test_auc_and_log_loss_are_those_of_scikit_learn(drawn: tuple[Floats, Bools]) -> None:
    """On any rows, ties included, both figures equal the reference implementation's."""
    scores, labels = drawn
    assert auc(scores, labels).value == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)
    inside = np.clip(scores, 0.01, 0.99)
    assert log_loss(inside, labels) == pytest.approx(sklearn_log_loss(labels, inside), abs=1e-12)


@given(rows())
def test_auc_sees_only_the_order(drawn: tuple[Floats, Bools]) -> None:
    """An increasing map of the scores changes neither AUC nor its variance; reversing them mirrors it."""
    scores, labels = drawn
    same, mirrored, ours = auc(scores**3 * 7 - 2, labels), auc(-scores, labels), auc(scores, labels)
    np.testing.assert_allclose([same.value, same.variance], [ours.value, ours.variance], atol=1e-12)
    assert mirrored.value == pytest.approx(1 - ours.value, abs=1e-12)


@given(rows(), st.integers(0, 99))
def test_the_order_of_rows_does_not_matter(drawn: tuple[Floats, Bools], seed: int) -> None:
    """Every figure is a figure of the rows, not of how they happened to be sorted, however the scores tie."""
    scores, labels = drawn
    order = np.random.default_rng(seed).permutation(len(scores))
    one, other = measure(scores, labels), measure(scores[order], labels[order])
    assert one == pytest.approx(other, abs=1e-12, nan_ok=True)


@given(rows())
def test_a_version_gains_nothing_on_itself(drawn: tuple[Floats, Bools]) -> None:
    """The gain is the difference of the AUCs, antisymmetric, and surely zero between equal scores."""
    scores, labels = drawn
    other = scores[::-1].copy()
    there, back = auc_gain(other, scores, labels), auc_gain(scores, other, labels)
    assert there.value == pytest.approx(auc(other, labels).value - auc(scores, labels).value, abs=1e-12)
    assert there.value == pytest.approx(-back.value, abs=1e-12)
    assert auc_gain(scores, scores, labels).value == 0


def test_the_stated_error_of_an_auc_is_its_error() -> None:
    """Over 400 samples, DeLong's variance is the variance that AUC shows, and 95 % intervals cover 95 % of the time."""
    random = np.random.default_rng(1)
    found = [auc(*sample(random, 300, 1.0)) for _ in range(400)]
    values, variances = np.array([f.value for f in found]), np.array([f.variance for f in found])
    assert variances.mean() == pytest.approx(values.var(), rel=0.15)
    truth = 0.5 * (1 + math.erf(1.0 / 2))
    assert (np.abs(values - truth) < 1.96 * np.sqrt(variances)).mean() == pytest.approx(0.95, abs=0.03)


def test_the_stated_error_of_a_gain_is_its_error() -> None:
    """On shared rows the gain's variance is what it shows, and far less than the sum of the two AUCs' variances."""
    random = np.random.default_rng(2)
    gains, apart = [], []
    for _ in range(400):
        scores, labels = sample(random, 300, 1.0)
        noisy = scores + 0.3 * random.normal(size=300)
        gains.append(auc_gain(noisy, scores, labels))
        apart.append(auc(noisy, labels).variance + auc(scores, labels).variance)
    variance = np.mean([g.variance for g in gains])
    assert variance == pytest.approx(np.var([g.value for g in gains]), rel=0.15)
    assert variance < np.mean(apart) / 3


def test_true_probabilities_have_next_to_no_calibration_error() -> None:
    """Labels drawn with the scores as their chance are calibrated; scores pushed to the edges are not."""
    random = np.random.default_rng(3)
    chance = random.random(100_000)
    labels = random.random(100_000) < chance
    assert calibration(chance, labels).error < 0.01
    assert calibration(chance**4 / (chance**4 + (1 - chance) ** 4), labels).error > 0.1


def test_one_score_for_all_rows_is_calibrated_when_its_share_comes_true() -> None:
    """A constant score is one bin, although the labels come in runs: ties are not split by the order of the rows."""
    assert calibration(np.full(100, 0.5), np.arange(100) < 50).error == 0


def test_what_the_rows_cannot_tell_is_none() -> None:
    """With one class there is no AUC, without rows nothing at all; both are said as ``None``, which is JSON."""
    one_class = measure(np.array([0.2, 0.4]), np.array([True, True]))
    assert one_class["auc"] is None
    assert one_class["log_loss"] == pytest.approx(-np.log([0.2, 0.4]).mean())
    assert set(measure(np.empty(0), np.empty(0, bool)).values()) == {0, None}
    assert math.isnan(auc_gain(np.array([0.2]), np.array([0.3]), np.array([True])).value)
