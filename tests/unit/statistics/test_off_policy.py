"""Proves the off-policy estimates: unbiased, with bounds that hold, and refused where few rows decide."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np
import pytest

from smallbox.arrays import Floats
from smallbox.statistics.off_policy import PolicyEstimator, WeightedRows, judge_policy

ACTIONS: Final = 4
LOGGED: Final = np.array([[0.55, 0.15, 0.15, 0.15], [0.15, 0.55, 0.15, 0.15]])
"""What was shown in either of two contexts, with which probability."""
JUDGED: Final = np.array([[0.1, 0.1, 0.7, 0.1], [0.1, 0.1, 0.1, 0.7]])
REWARDS: Final = np.array([[0.1, 0.1, 0.3, 0.1], [0.2, 0.4, 0.1, 0.3]])
"""The mean reward of each action in each context."""
TRUE_VALUE: Final = float((JUDGED * REWARDS).sum(1).mean())
TRUE_GAIN: Final = TRUE_VALUE - float((LOGGED * REWARDS).sum(1).mean())
ESTIMATORS: Final[tuple[PolicyEstimator, ...]] = ("ips", "snips", "dr")


def _rows(random: np.random.Generator, units: int, model: Floats = REWARDS) -> WeightedRows:
    """Two rows of each unit, which share how ready the unit is to click."""
    ready = np.repeat(random.choice([0.5, 1.5], units), 2)
    context = random.integers(0, 2, 2 * units)
    action = (random.random((2 * units, 1)) > np.cumsum(LOGGED[context], 1)).sum(1)
    rewards = (random.random(2 * units) < REWARDS[context, action] * ready).astype(float)
    mu, pi = LOGGED[context, action], JUDGED[context, action]
    gain = ((JUDGED - LOGGED) * model).sum(1)[context]
    return WeightedRows(np.repeat(np.arange(units), 2), rewards, mu, pi, mu, model[context, action], gain)


@pytest.mark.parametrize("model", [REWARDS, REWARDS[::-1] + 0.3], ids=["a right model", "a wrong model"])
def test_the_estimates_are_unbiased(model: Floats) -> None:
    """Over 400 logs of 400 units the mean of each estimate is the truth, within three standard errors."""
    random = np.random.default_rng(3)
    judged = [judge_policy(_rows(random, 400, model)) for _ in range(400)]
    found = [one for one in judged if one.gains]
    assert len(found) > 390, "a mean weight more than three standard errors off is rare"
    for name in ESTIMATORS:
        gains = np.array([one.gains[name].gain.value for one in found])
        values = np.array([one.gains[name].value for one in found])
        assert abs(gains.mean() - TRUE_GAIN) < 3 * gains.std() / 20 + 0.001  # SNIPS has a bias of the order 1/n
        assert abs(values.mean() - TRUE_VALUE) < 3 * values.std() / 20 + 0.001


def test_the_bounds_hold_at_every_look() -> None:
    """Looked at ten times, the true gain is ever outside in at most 5 % of 500 logs."""
    random = np.random.default_rng(4)
    outside = dict.fromkeys(ESTIMATORS, 0)
    for _ in range(500):
        rows = _rows(random, 1_000)
        looks = [judge_policy(_first(rows, units)) for units in range(200, 1_001, 80)]
        for name in ESTIMATORS:
            bounds = [one.gains[name].gain for one in looks if one.gains]
            outside[name] += any(not one.low <= TRUE_GAIN <= one.high for one in bounds)
    assert max(outside.values()) / 500 <= 0.05, outside


def _first(rows: WeightedRows, units: int) -> WeightedRows:
    own = rows.units < units
    return WeightedRows(*(getattr(rows, name)[own] for name in WeightedRows.__dataclass_fields__))


def test_a_right_model_makes_the_bounds_narrower() -> None:
    """The doubly robust estimate is the surest of the three when its model is right."""
    found = judge_policy(_rows(np.random.default_rng(5), 4_000)).gains
    widths = {name: one.gain.high - one.gain.low for name, one in found.items()}
    assert widths["dr"] < min(widths["ips"], widths["snips"])


def test_a_better_policy_is_found_and_an_equal_one_is_not() -> None:
    """The gain is said in a sentence; a policy against itself gains exactly nothing."""
    rows = _rows(np.random.default_rng(6), 20_000)
    found = judge_policy(rows)
    assert found.verdict == "better"
    assert "version 5 would have earned more than version 3" in found.sentence("version 5", "version 3")
    same = judge_policy(replace(rows, against=rows.policy, expected_gain=np.zeros(40_000)))
    assert {one.gain.value for one in same.gains.values()} == {0.0}
    assert same.verdict == "cannot_tell"


def _few(rows: WeightedRows) -> WeightedRows:
    return _first(rows, 60)


def _unrewarded(rows: WeightedRows) -> WeightedRows:
    return replace(rows, rewards=np.where(rows.units < 99, 1.0, 0.0))


def _heavy(rows: WeightedRows) -> WeightedRows:
    return replace(rows, policy=np.where(rows.units == 0, 90 * len(rows.units) / 1000, rows.policy))


def _wrong(rows: WeightedRows) -> WeightedRows:
    return replace(rows, propensities=rows.propensities * 0.8)


def _impossible(rows: WeightedRows) -> WeightedRows:
    return replace(rows, propensities=np.where(rows.units == 7, 0.0, rows.propensities))


def _unseen(rows: WeightedRows) -> WeightedRows:
    return replace(rows, policy=np.zeros(len(rows.units)))


def _none(rows: WeightedRows) -> WeightedRows:
    return _first(rows, 0)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (_few, r"as good as \d+ that weigh alike; 100 are needed, about \d+ times the logged units"),
        (_unrewarded, "99 units have a reward; 100 are needed"),
        (_heavy, "one unit has .* of all weight; at most 5%"),
        (_wrong, "the mean weight is .* and not 1"),
        (_impossible, "logged probability 0"),
        (_unseen, "none of the logged rows"),
        (_none, "no such rows"),
    ],
)
def test_where_few_rows_decide_there_is_no_estimate(change: Callable[[WeightedRows], WeightedRows], why: str) -> None:
    """Each refusal says why, gives no number, and what it would take."""
    found = judge_policy(change(_rows(np.random.default_rng(7), 1_000)))
    assert found.gains == {}
    assert found.verdict == "cannot_tell"
    with pytest.raises(AssertionError, match=why):
        raise AssertionError(found.sentence("a", "b"))


def test_more_exploration_is_asked_for_where_more_units_would_not_do() -> None:
    """If one unit in a thousand decides, ten times the units leave the same share."""
    random = np.random.default_rng(8)
    units = 20_000
    chosen = random.random(units) < 0.005
    rows = WeightedRows(
        np.arange(units), random.random(units), np.full(units, 0.005), chosen.astype(float), np.full(units, 0.005),
        np.zeros(units), np.zeros(units),
    )  # fmt: skip
    assert "times the exploration" in judge_policy(rows).sentence("a", "b")


def test_the_effective_number_is_that_of_units() -> None:
    """Every row twice, in the unit of its twin, says no more: rows of one unit are one."""
    rows = _rows(np.random.default_rng(9), 500)
    names = WeightedRows.__dataclass_fields__
    twice = WeightedRows(*(np.concatenate((getattr(rows, name),) * 2) for name in names))
    once, both = judge_policy(rows), judge_policy(twice)
    assert both.effective == pytest.approx(once.effective)
    for name in ESTIMATORS:
        assert both.gains[name].gain.high == pytest.approx(once.gains[name].gain.high)
