"""Proves what counts as harm of a canary, and that a version within its limits is seldom rolled back."""

import json

import numpy as np
import pytest

from smallbox.define.release_rules import HarmLimits
from smallbox.release.harm import HarmVerdict, judge_harm
from smallbox.release.harm_counts import COUNTED, ArmCounts, ArmLosses, UnlikeCounts

LIMITS = HarmLimits()
CLUSTERS = 64


def counts(
    random: np.random.Generator,
    figure: str = "failed",
    champion: float = 0.001,
    challenger: float = 0.001,
    asked: tuple[float, float] = (30.0, 30.0),
    minutes: int = 20,
) -> ArmCounts:
    """Independent requests of both arms: the mean number a minute, and how often each meets the trouble."""
    requests = random.poisson(np.divide(asked, CLUSTERS), (minutes, CLUSTERS, 2))
    both = np.zeros((minutes, CLUSTERS, 2, len(COUNTED)))
    both[..., 0] = requests
    both[..., COUNTED.index(figure)] = random.binomial(requests, (champion, challenger))
    return ArmCounts(both.sum(axis=1), both.sum(axis=0))


def of(verdict: HarmVerdict, figure: str) -> dict[str, object]:
    """The evidence of a limit."""
    return next(one for one in verdict.evidence if one["figure"] == figure)


@pytest.mark.parametrize("figure", COUNTED[1:])
def test_each_figure_stops_a_canary(figure: str) -> None:
    """A challenger that meets a trouble half of the time is harm, and the sentence says by how much."""
    seen = counts(np.random.default_rng(1), figure, challenger=0.5)
    verdict = judge_harm(LIMITS, seen, steps=3)
    limit, found = getattr(LIMITS, figure), of(verdict, figure)
    assert verdict.is_harm
    assert [one["figure"] for one in verdict.evidence if one["is_harm"]] == [figure]
    assert f"{found['challenger']:.2%}" in verdict.why
    assert f"{limit:.2%}" in verdict.why


def test_a_version_like_the_champion_is_no_harm() -> None:
    """The verdict can tell, and says that no limit is exceeded."""
    verdict = judge_harm(LIMITS, counts(np.random.default_rng(2)), steps=3)
    assert not verdict.is_harm
    assert verdict.can_tell
    assert verdict.why.startswith("no limit of harm is exceeded after")


def test_few_requests_cannot_tell() -> None:
    """After two minutes with a request or so of the challenger the verdict says that it cannot tell."""
    seen = counts(np.random.default_rng(3), asked=(59.0, 0.6), minutes=2)
    verdict = judge_harm(LIMITS, seen)
    assert not verdict.is_harm
    assert not verdict.can_tell
    assert verdict.why.startswith("cannot tell yet")


def test_nothing_counted_cannot_tell() -> None:
    """A canary that nobody asked is neither harm nor proved harmless."""
    nothing = ArmCounts(np.zeros((0, 2, len(COUNTED))), np.zeros((CLUSTERS, 2, len(COUNTED))))
    verdict = judge_harm(LIMITS, nothing)
    assert not verdict.is_harm
    assert not verdict.can_tell


def test_one_unit_that_always_fails_is_no_harm() -> None:
    """A single unit of the challenger that fails a hundred times an hour is one failure, not a hundred."""
    seen = counts(np.random.default_rng(4), asked=(300.0, 30.0), minutes=60)
    seen.minutes[:, 1, 1] += 2
    seen.minutes[:, 1, 0] += 2
    seen.clusters[7, 1, :2] += 120
    assert not judge_harm(LIMITS, seen).is_harm


def test_an_outage_of_both_arms_is_no_harm() -> None:
    """Ten minutes in which everything fails, for both, are no harm of the challenger."""
    seen = counts(np.random.default_rng(5), champion=1.0, challenger=1.0, minutes=10)
    verdict = judge_harm(LIMITS, seen)
    assert not verdict.is_harm


def test_the_budget_is_shared() -> None:
    """The error of six limits in three steps adds up to the one that is stated."""
    losses = ArmLosses(np.ones(40), np.ones(40))
    unlike = UnlikeCounts(np.ones(40), np.zeros(40))
    verdict = judge_harm(LIMITS, counts(np.random.default_rng(6)), unlike, (losses, losses), steps=3)
    assert 3 * sum(one["error"] for one in verdict.evidence) == pytest.approx(LIMITS.error)
    assert json.loads(json.dumps(verdict.evidence)) == verdict.evidence


def test_answers_unlike_the_shadow_are_harm() -> None:
    """A fifth of the answers of 200 units differ: more than the limit of 2 %. None that differ: no harm, can tell."""
    random, seen = np.random.default_rng(7), counts(np.random.default_rng(7))
    compared = np.full(200, 5.0)
    bad = UnlikeCounts(compared, random.binomial(5, 0.2, 200).astype(float))
    verdict = judge_harm(LIMITS, seen, bad)
    assert verdict.is_harm
    assert "unlike its own shadow" in verdict.why
    good = of(judge_harm(LIMITS, seen, UnlikeCounts(compared, np.zeros(200))), "unlike_shadow")
    assert good["can_tell"]
    assert not good["is_harm"]


def losses(random: np.random.Generator, mean: float, units: int = 400) -> ArmLosses:
    """Units with a level of their own: predictions of one unit are alike."""
    rows = random.integers(1, 20, units).astype(float)
    return ArmLosses(rows, rows * random.gamma(4, mean / 4, units))


def test_a_larger_loss_is_harm() -> None:
    """A mean loss of 1.5 instead of 1 is harm; without 30 labelled units in each arm it cannot tell."""
    random, seen = np.random.default_rng(8), counts(np.random.default_rng(8))
    verdict = judge_harm(LIMITS, seen, losses=(losses(random, 1.0), losses(random, 1.5)))
    assert verdict.is_harm
    assert "mean loss" in verdict.why
    few = judge_harm(LIMITS, seen, losses=(losses(random, 1.0), losses(random, 1.5, 29)))
    assert not of(few, "loss")["can_tell"]
    assert not few.is_harm


def test_labels_of_an_equal_version_seldom_stop_it() -> None:
    """Of 100 equal pairs of arms, looked at as 30 to 400 units are labelled, at most 5 % are ever harm at no margin."""
    random, wrong, strict = np.random.default_rng(9), 0, HarmLimits(error=0.3, loss=0.0)
    seen = counts(random, minutes=1)
    for _ in range(100):
        arms = losses(random, 1.0), losses(random, 1.0)
        for units in range(30, 401, 74):
            both = tuple(ArmLosses(arm.rows[:units], arm.losses[:units]) for arm in arms)
            if of(judge_harm(strict, seen, losses=(both[0], both[1])), "loss")["is_harm"]:
                wrong += 1
                break
    assert wrong / 100 <= 0.05


def test_whole_steps_of_equal_versions_are_seldom_rolled_back() -> None:
    """Of 100 steps with 2 % of the units always failing, in both arms, at most 5 % are rolled back."""
    random, wrong = np.random.default_rng(10), 0
    for _ in range(100):
        units = random.lognormal(0, 1.5, 500)
        arm, bad, cluster = random.random(500) < 0.1, random.random(500) < 0.02, random.integers(0, CLUSTERS, 500)
        both = np.zeros((60, CLUSTERS, 2, len(COUNTED)))
        asked = random.poisson(60 * units / units.sum(), (60, 500))
        for unit in range(500):
            own = both[:, cluster[unit], int(arm[unit])]
            own[:, 0] += asked[:, unit]
            own[:, 1] += asked[:, unit] * bad[unit]
        found = [judge_harm(LIMITS, ArmCounts(both[:end].sum(axis=1), both[:end].sum(axis=0))) for end in (5, 20, 60)]
        wrong += any(one.is_harm for one in found)
    assert wrong / 100 <= LIMITS.error
