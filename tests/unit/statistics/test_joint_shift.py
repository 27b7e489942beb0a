"""Proves the joint comparison of days: how often it errs under day effects, and that it sees what no column shows."""

import numpy as np

from smallbox.arrays import Floats, Ints
from smallbox.statistics.joint_shift import JointShift, joint_shift

DAYS, WEEK, EACH = 49, 7, 40
NAMES = ("a", "b", "a with b")


def drawn(seed: int, correlation: float = 0.5, memory: float = 0.6) -> tuple[Floats, Ints]:
    """Two correlated columns and their product; days differ, with a memory of the day before."""
    random = np.random.default_rng(seed)
    fresh = random.normal(0, 0.3, (DAYS, 2))
    level = fresh.copy()
    for day in range(1, DAYS):
        level[day] = memory * level[day - 1] + fresh[day] * np.sqrt(1 - memory**2)
    days = np.repeat(np.arange(DAYS), EACH)
    one, other = random.normal(size=(2, len(days)))
    together = np.where(days >= DAYS - WEEK, correlation, 0.5)
    other = together * one + np.sqrt(1 - together**2) * other
    return np.column_stack([np.column_stack([one, other]) + level[days], one * other]), days


def compared(seed: int, correlation: float = 0.5) -> JointShift:
    """The last week against the weeks before."""
    features, days = drawn(seed, correlation)
    found = joint_shift(features, NAMES, days, DAYS - WEEK)
    assert found is not None
    return found


def test_without_a_change_a_finding_is_as_rare_as_stated() -> None:
    """Of 200 weeks whose days remember the day before, about one in 49 is named, though days are far from alike."""
    certain = sum(compared(seed).is_certain for seed in range(200))
    assert certain <= 11  # of 4.1 expected; by chance more once in a thousand


def test_a_correlation_that_flips_is_seen_and_named() -> None:
    """No column moves by itself; what carries the difference is the two together."""
    found, usual = [compared(seed, -0.5) for seed in range(20)], [compared(seed) for seed in range(20)]
    assert sum(one.is_certain for one in found) >= 18
    assert all(one.carriers[0][0] == "a with b" for one in found if one.is_certain)
    assert np.mean([one.auc for one in found]) > np.mean([one.auc for one in usual]) + 0.03


def test_few_days_and_columns_without_variance_tell_nothing() -> None:
    """Four weeks before and five days are needed; constants are left out."""
    features, days = drawn(0)
    assert joint_shift(features, NAMES, days, 27) is None
    assert joint_shift(features, NAMES, days, DAYS - 4) is None
    assert joint_shift(features * 0, NAMES, days, DAYS - WEEK) is None
    constant = np.column_stack([features, np.ones(len(days))])
    assert joint_shift(constant, (*NAMES, "c"), days, DAYS - WEEK) == compared(0)


def test_an_alike_copy_of_a_column_changes_nothing_that_matters() -> None:
    """Columns that repeat each other share what they carry, and the comparison can still be computed."""
    features, days = drawn(1, -0.5)
    doubled = np.column_stack([features, features])
    found = joint_shift(doubled, (*NAMES, *NAMES), days, DAYS - WEEK)
    assert found is not None
    assert found.is_certain
    assert found.carriers[0][0] == "a with b"
