"""Proves the review: it waits, decides on evidence, and is as seldom wrong as it says, however often it looks."""

import json
import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from smallbox.arrays import Bools, Floats
from smallbox.define.rules import Release
from smallbox.objectives.binary import Binary
from smallbox.objectives.measure import measure
from smallbox.objectives.objective import Objective, Scored
from smallbox.objectives.ranking import Ranking
from smallbox.release.canary import ArmResult, CanaryDecision, Look, review
from smallbox.release.estimate import Traffic, estimate_canary
from smallbox.statistics.intervals import bisect
from smallbox.times import DAY, HOUR
from tests.unit.release.canaries import BETTER, GOOD, answers

RULE = Release(canary=0.3, min_rarer=50, max_days=5, max_loss_increase=0.1, confidence=0.95)
ERROR = 1 - RULE.confidence
RUNS = 300


def result(scored: Scored, objective: Objective) -> ArmResult:
    """What the review gets of rows."""
    metrics = measure(objective, scored)
    hardness = objective.losses(scored.beside(objective.baseline(scored.labels))).values
    return ArmResult(objective.losses(scored).values, hardness, metrics["rarer_rows"], metrics["figures"])


def of_booleans(scores: Floats, labels: Bools) -> ArmResult:
    """What it gets of rows with a boolean label."""
    return result(Scored(scores[:, None], labels.astype(float), np.zeros(len(labels), int)), Binary())


def arm(size: int, miss: float, seed: int = 0) -> ArmResult:
    """An arm whose log-odds are off by ``miss``."""
    return of_booleans(*answers(size, miss, np.random.default_rng(seed)))


def after(days: float, champion: ArmResult, challenger: ArmResult, rule: Release = RULE) -> CanaryDecision:
    """What the review says on that day, where labels take a day."""
    return review(rule, champion, challenger, Look(days, DAY))


@pytest.mark.parametrize(
    ("days", "challenger", "action"),
    [
        (2, arm(120, GOOD, 1), "wait"),
        (5, arm(120, GOOD, 1), "cannot_tell"),
        (2, arm(900, GOOD, 1), "wait"),
        (5, arm(900, GOOD, 1), "promote"),
        (5, arm(300, 0.9, 3), "cannot_tell"),
        (2, arm(900, 2.0, 1), "roll_back"),
        (2, arm(900, BETTER, 1), "promote"),
    ],
    ids=["few", "few at the end", "as good", "as good at the end", "maybe worse at the end", "far worse", "far better"],
)
def test_what_is_decided_when(days: float, challenger: ArmResult, action: str) -> None:
    """Nothing on few labels, at once what is sure, and at the end what surely lost less than is allowed."""
    decision = after(days, arm(4000, GOOD), challenger)
    assert decision.action == action, decision.why
    json.dumps(decision.evidence, allow_nan=False)


@pytest.mark.parametrize("which", ["champion", "challenger"])
def test_an_arm_with_one_class_cannot_tell(which: str) -> None:
    """Many labels of one class, in either arm, are not evidence: it waits, and at the end says that it cannot tell."""
    good = arm(900, GOOD)
    blind = of_booleans(np.full(900, 0.01), np.zeros(900, bool))
    arms = (blind, good) if which == "champion" else (good, blind)
    assert after(2, *arms).action == "wait"
    assert after(5, *arms).action == "cannot_tell"


def test_groups_of_a_ranking_count_not_their_rows() -> None:
    """A thousand rows in 49 groups are 49 losses: too few, though every row is of the rarest outcome."""

    def ranked(groups: int) -> ArmResult:
        random = np.random.default_rng(0)
        rows = Scored(random.random((1000, 1)), (np.arange(1000) % 2).astype(float), np.arange(1000) // 2 % groups)
        return result(rows, Ranking("search"))

    decision = after(2, ranked(500), ranked(49))
    assert decision.action == "wait"
    assert "49 labels" in decision.why


def test_a_number_is_decided_as_a_boolean_is() -> None:
    """Squared errors of minutes: a challenger with twice the error is rolled back, one with half is promoted."""
    random = np.random.default_rng(0)
    champion, worse, better = (
        ArmResult(random.normal(0, spread, 900) ** 2, np.zeros(900), 900, {})
        for spread in (20, 20 * math.sqrt(2), 20 / math.sqrt(2))
    )
    assert after(2, champion, worse).action == "roll_back"
    assert after(2, champion, better).action == "promote"


def _losses(size: int, miss: float, seed: int, base: float) -> tuple[Floats, Floats, Floats]:
    """The losses, those of a constant baseline, and the labels."""
    scores, labels = answers(size, miss, np.random.default_rng(seed), base)
    losses, hardness = (-np.log(np.where(labels, given, 1 - given)) for given in (scores, base))
    return losses, hardness, labels.astype(float)


def _miss_of(increase: float, base: float) -> float:
    """How far log-odds are off whose mean loss is larger by this share than that of the right ones."""
    odds = np.random.default_rng(9).normal(math.log(base / (1 - base)), 1.5, 400_000)
    chance = 1 / (1 + np.exp(-odds))

    def mean(miss: float) -> float:
        score = 1 / (1 + np.exp(-odds - miss))
        return float(-(chance * np.log(score) + (1 - chance) * np.log(1 - score)).mean())

    right = mean(0)
    return bisect(lambda miss: mean(miss) < right * (1 + increase), 0.0, 3.0)


def _canaries(rule: Release, a_day: int, base: float, misses: tuple[float, float], days: int = 4) -> Counter[str]:
    """How canaries end that are looked at daily: the share of each action."""
    ends: Counter[str] = Counter()
    theirs = int(a_day * rule.canary)
    sizes = (a_day - theirs, theirs)
    for seed in range(RUNS):
        arms = [
            _losses(days * size, miss, 2 * seed + n, base)
            for n, (size, miss) in enumerate(zip(sizes, misses, strict=True))
        ]
        for day in range(1, days + 1):
            champion, challenger = (
                ArmResult(losses[: n * day], hardness[: n * day], Binary().rarer(labels[: n * day]), {})
                for (losses, hardness, labels), n in zip(arms, sizes, strict=True)
            )
            decision = after(day + rule.max_days - days, champion, challenger, rule)
            if decision.action != "wait":
                break
        ends[decision.action] += 1
    return Counter({action: count / RUNS for action, count in ends.items()})


@pytest.mark.parametrize(("a_day", "base", "margin"), [(940, 0.2, 0.1), (1240, 0.02, 0.15)])
def test_errors_are_as_seldom_as_stated_and_power_as_great(a_day: int, base: float, margin: float) -> None:
    """Over all looks: equal is called worse, and worse by ``max_loss_increase`` promoted, in 5 %; both sorts end."""
    rule, noise = replace(RULE, max_loss_increase=margin), 2 * (ERROR * (1 - ERROR) / RUNS) ** 0.5
    equal = _canaries(rule, a_day, base, (0, 0))
    assert equal["roll_back"] <= ERROR + noise
    assert equal["promote"] >= 0.8 - ERROR - noise, "what the estimate promises, less those that a look before ended"
    worse = _canaries(rule, a_day, base, (0, _miss_of(margin, base)))
    assert worse["promote"] <= ERROR + noise
    assert worse["roll_back"] >= 0.7 - noise, "its losses vary more than those of an equal one"
    better = _canaries(rule, a_day, base, (_miss_of(2 * margin, base), 0))
    assert better["promote"] >= 0.95 - noise
    assert better["roll_back"] <= noise


@pytest.mark.parametrize(("base", "margin", "a_day"), [(0.2, 0.1, 940), (0.02, 0.15, 1240)])
def test_the_estimate_is_the_days_of_that_power(base: float, margin: float, a_day: int) -> None:
    """Where an equal version is promoted on the fifth day in 80 %, the estimate says five days; half the traffic, nine.

    One of the days is the delay of the labels.
    """
    rule = replace(RULE, max_loss_increase=margin)
    losses, hardness, labels = _losses(200_000, 0, 0, base)
    seen = ArmResult(losses, hardness, Binary().rarer(labels), {})
    days = [estimate_canary(rule, Traffic(seen, 200_000 / each, DAY)).days for each in (a_day, a_day / 2)]
    assert days == pytest.approx([5, 9], rel=0.02)


def test_few_labels_roll_nobody_back() -> None:
    """At 300 labels a day of which 2 % are positive, no canary of two weeks acts: it says that it cannot tell."""
    rule = Release()
    for miss in (0, _miss_of(0.05, 0.02), _miss_of(0.2, 0.02)):
        assert _canaries(rule, 300, 0.02, (0, miss), days=7) == {"cannot_tell": 1.0}


def test_why_is_said_in_numbers() -> None:
    """The reason carries the difference and its margin, the evidence both arms' figures."""
    decision = after(1.5, arm(2000, GOOD), arm(900, 2.0, 1))
    assert "+0.3" in decision.why
    assert "from the champion's, 0.5" in decision.why
    assert decision.evidence["days"] == 1 + 12 * HOUR / DAY
    assert decision.evidence["champion_labels"] == 2000
    assert decision.evidence["challenger_loss"] > decision.evidence["champion_loss"]
    assert decision.evidence["challenger_auc"]["value"] == pytest.approx(0.81, abs=0.05)


def test_cannot_tell_says_what_it_would_have_taken() -> None:
    """The reason names how many times the labels an equal version would have needed, or that none suffice."""
    assert (
        "times the labels promote an equal version in 80% of canaries"
        in after(5, arm(2000, GOOD), arm(300, 0.9, 3)).why
    )
    strict = Release(max_days=5, max_loss_increase=0)
    assert "only a version that is surely better" in after(5, arm(2000, GOOD), arm(900, GOOD, 1), strict).why
