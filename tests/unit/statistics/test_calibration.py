"""Proves the calibration error: next to none of true probabilities, with bounds that hold the true one."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import log_loss

from smallbox.arrays import Bools, Floats
from smallbox.objectives.probabilities import log_losses
from smallbox.objectives.temperature import TemperatureScaled
from smallbox.statistics.calibration import Calibration, calibration, expected_error, true_error

shares = st.integers(0, 64).map(lambda n: n / 64)


def drawn(random: np.random.Generator, size: int, shift: float) -> tuple[Floats, Bools]:
    """Scores, and labels whose chance is higher by ``shift``."""
    scores = random.uniform(0.1, 0.7, size)
    return scores, random.random(size) < scores + shift


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


@pytest.mark.parametrize("size", [100, 400, 2_000])
@pytest.mark.parametrize("shift", [0.0, 0.05, 0.2])
def test_the_true_error_lies_beyond_a_bound_in_5_percent(size: int, shift: float) -> None:
    """Over 1,000 samples, at either side; and the bounds are not simply wide."""
    random = np.random.default_rng(6)
    found = [calibration(*drawn(random, size, shift)).interval for _ in range(1_000)]
    assert np.mean([one.low > shift for one in found]) <= 0.07
    assert np.mean([one.high < shift for one in found]) <= 0.07
    assert np.mean([one.high - one.low for one in found]) < 3 / math.sqrt(size)


@given(st.lists(st.tuples(shares, st.booleans()), min_size=1, max_size=60))
def test_the_bounds_enclose_the_measured_error(rows: list[tuple[float, bool]]) -> None:
    """However few the rows, none is below 0, and each is on its side."""
    found = calibration(np.array([row[0] for row in rows]), np.array([row[1] for row in rows])).interval
    assert 0 <= found.low <= found.value <= found.high


@given(st.floats(0, 1), st.just(0.0) | st.floats(1e-4, 0.2))
def test_what_a_true_error_shows_and_what_shows_it_are_inverse(true: float, by_chance: float) -> None:
    """The error to expect is at least the true one and that of chance; the true error comes back from it."""
    shown = expected_error(true, by_chance)
    assert shown >= max(true, by_chance) - 1e-9
    assert expected_error(true_error(shown, by_chance), by_chance) == pytest.approx(shown, abs=1e-6)


def test_without_rows_the_bounds_are_unknown() -> None:
    """As the error itself is."""
    assert calibration(np.empty(0), np.empty(0, bool)).interval.as_json() == {"value": None, "low": None, "high": None}
    assert Calibration(math.nan, math.nan, math.nan).interval.side_of(0.1) == "unclear"


@given(st.lists(st.tuples(st.integers(1, 63).map(lambda n: n / 64), st.booleans()), min_size=1))
def test_log_loss_is_that_of_scikit_learn(rows: list[tuple[float, bool]]) -> None:
    """Of any probabilities between 0 and 1; one of 0 for what happened costs 15 digits, not infinity."""
    scores, labels = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    found = log_losses(np.where(labels, scores, 1 - scores)).mean()
    assert found == pytest.approx(log_loss(labels, scores, labels=[False, True]), abs=1e-12)
    assert log_losses(np.array([0.0])).tolist() == [pytest.approx(15 * math.log(10))]


class Fixed:
    """A classifier whose inputs are its probabilities."""

    def __init__(self, classes: int) -> None:
        self.classes_ = np.arange(classes)

    def predict_proba(self, inputs: Floats) -> Floats:
        """The inputs."""
        return inputs


def softmax(logits: Floats) -> Floats:
    """Probabilities."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


@pytest.mark.parametrize("temperature", [0.3, 1.0, 2.5, 8.0])
def test_a_known_temperature_is_found(temperature: float) -> None:
    """Of 20,000 rows whose classifier is too sure, or not sure enough, by that factor; its order of classes stays."""
    random = np.random.default_rng(7)
    true = random.normal(size=(20_000, 4)) * 1.5
    labels = np.array([random.choice(4, p=row) for row in softmax(true)])
    given_ = softmax(true * temperature)
    scaled = TemperatureScaled(Fixed(4)).fit(given_, labels)
    assert scaled.temperature == pytest.approx(temperature, rel=0.05)
    np.testing.assert_allclose(scaled.predict_proba(given_), softmax(true), atol=0.05)
    np.testing.assert_array_equal(scaled.predict(given_), given_.argmax(axis=1))


rows_of_three = st.lists(
    st.tuples(st.lists(st.integers(0, 20), min_size=3, max_size=3).filter(any), st.integers(0, 2)), min_size=1
)


@given(rows_of_three)
def test_a_temperature_never_raises_the_log_loss_of_its_own_rows(rows: list[tuple[list[int], int]]) -> None:
    """Of any probabilities, those of exactly 0 and 1 too, and whatever happened."""
    given_ = np.array([row[0] for row in rows], float)
    given_ /= given_.sum(axis=1, keepdims=True)
    labels = np.array([row[1] for row in rows])
    scaled = TemperatureScaled(Fixed(3))
    at = (np.arange(len(labels)), labels)
    before = -np.log(scaled.predict_proba(given_)[at]).mean()
    assert -np.log(scaled.fit(given_, labels).predict_proba(given_)[at]).mean() <= before + 1e-6
