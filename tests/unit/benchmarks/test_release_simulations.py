"""Proves by seeded simulation what the tables of the release ladder say, on fewer releases than they do."""

import math
from dataclasses import replace

import pytest

from benchmarks.release_simulations import ever_wrong, share, verdicts
from benchmarks.simulated_releases import MARGIN, WORLDS, World, judged, runs_of, shadow

RUNS = 1000
CLUSTERED = [world for world in WORLDS if not world.skewed]
HARSH = WORLDS[-1]


def _at_most(stated: float) -> float:
    """The stated error and twice the sampling error of so few releases."""
    return stated + 2 * math.sqrt(stated * (1 - stated) / RUNS)


@pytest.mark.parametrize("increase", [0.0, 0.02, 0.1])
def test_many_releases_at_once_are_judged_as_one_is(increase: float) -> None:
    """The simulated rule gives the verdict of `judge_shadow`, on the same day."""
    runs = runs_of(replace(WORLDS[4], increase=increase), 12, 3)
    assert shadow(runs, MARGIN) == [judged(runs, run, MARGIN) for run in range(12)]


@pytest.mark.parametrize("world", CLUSTERED, ids=lambda world: world.name)
def test_sequences_of_days_cover_the_truth_at_every_look(world: World) -> None:
    """With days as the unit at most 5 % of the releases exclude the truth at any of 28 looks; rows exclude it often."""
    wrong = ever_wrong(replace(world, rows=919), RUNS)
    assert wrong["paired, days with their correlation"] <= _at_most(0.05) + (0.05 if world.alike else 0)
    assert wrong["two arms, days with their correlation"] <= _at_most(0.05)
    assert (wrong["paired, rows"] > 0.2) == (world.design_effect > 1)


def test_a_covariate_with_an_unknown_mean_is_no_gain() -> None:
    """Days less what a covariate of the same days explains look quieter, and are wrong twice as often as stated."""
    wrong = ever_wrong(replace(WORLDS[0], rows=919), RUNS)
    assert wrong["paired, days less a covariate"] > 0.10


@pytest.mark.parametrize("world", CLUSTERED, ids=lambda world: world.name)
def test_equal_versions_are_not_stopped_and_versions_at_the_margin_do_not_climb(world: World) -> None:
    """False rollbacks of equal versions and false promotions of versions worse by the margin stay within the error."""
    equal = verdicts(world, "shadow", MARGIN, RUNS)
    assert share(equal, frozenset({"worse"})) <= _at_most(0.05)
    edge = verdicts(replace(world, increase=MARGIN), "shadow", MARGIN, RUNS)
    assert share(edge, frozenset({"better", "not_worse"})) <= _at_most(0.05) + (0.05 if world.alike else 0)


def test_where_the_error_is_not_kept() -> None:
    """Days that last and are skewed: a version worse by the margin climbs in more than 5 %, and in at most 20 %."""
    edge = verdicts(replace(HARSH, increase=MARGIN), "shadow", MARGIN, 2 * RUNS)
    assert 0.05 < share(edge, frozenset({"better", "not_worse"})) <= 0.2


def test_the_rule_before_rolls_equal_versions_back() -> None:
    """With design effect 36 the rule that takes rows as independent stops an equal version in more than a fifth."""
    found = verdicts(WORLDS[3], "rule before", MARGIN, RUNS)
    assert share(found, frozenset({"worse"})) > 0.2
