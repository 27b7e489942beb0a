"""Proves the review: it waits, decides on evidence, and is as seldom wrong as it says, however often it looks."""

import json
from collections import Counter

import numpy as np
import pytest

from smallbox.define.rules import Release
from smallbox.release.canary import ArmResult, CanaryDecision, Look, review
from smallbox.times import DAY, HOUR

RULE = Release(canary=0.3, min_of_each_class=50, max_days=5, max_auc_loss=0.08, confidence=0.95)
ERROR = 1 - RULE.confidence
RUNS = 300


def arm(size: int, shift: float, seed: int = 0, base: float = 0.3) -> ArmResult:
    """An arm whose positives score higher by ``shift`` standard deviations: an AUC of the normal at shift / sqrt 2."""
    random = np.random.default_rng(seed)
    labels = random.random(size) < base
    return ArmResult(1 / (1 + np.exp(-(random.normal(size=size) + shift * labels))), labels)


def after(days: float, champion: ArmResult, challenger: ArmResult, rule: Release = RULE) -> CanaryDecision:
    """What the review says on that day, where labels take a day."""
    return review(rule, champion, challenger, Look(days, DAY))


@pytest.mark.parametrize(
    ("days", "challenger", "action"),
    [
        (2, arm(150, 1.0, 1), "wait"),
        (5, arm(150, 1.0, 1), "cannot_tell"),
        (2, arm(900, 1.0, 1), "wait"),
        (5, arm(900, 1.0, 1), "promote"),
        (5, arm(300, 0.9, 3), "cannot_tell"),
        (2, arm(900, 0.0, 1), "roll_back"),
        (2, arm(900, 3.0, 1), "promote"),
    ],
    ids=["few", "few at the end", "as good", "as good at the end", "maybe worse at the end", "far worse", "far better"],
)
def test_what_is_decided_when(days: float, challenger: ArmResult, action: str) -> None:
    """Nothing on few labels, at once what is sure, and at the end what surely lost less than is allowed."""
    decision = after(days, arm(2000, 1.0), challenger)
    assert decision.action == action, decision.why
    json.dumps(decision.evidence, allow_nan=False)


@pytest.mark.parametrize("which", ["champion", "challenger"])
def test_an_arm_with_one_class_cannot_tell(which: str) -> None:
    """Many labels of one class, in either arm, are not evidence: it waits, and at the end says that it cannot tell."""
    good = arm(900, 1.0)
    blind = ArmResult(good.scores, np.zeros(900, bool))
    arms = (blind, good) if which == "champion" else (good, blind)
    assert after(2, *arms).action == "wait"
    assert after(5, *arms).action == "cannot_tell"


def _canaries(rule: Release, a_day: int, base: float, shifts: tuple[float, float], days: int = 4) -> Counter[str]:
    """How canaries end that are looked at daily: one of the actions, or ``better``. Shares of all."""
    ends: Counter[str] = Counter()
    theirs = int(a_day * rule.canary)
    sizes = (a_day - theirs, theirs)
    for seed in range(RUNS):
        arms = [
            arm(days * size, shift, 2 * seed + n, base)
            for n, (size, shift) in enumerate(zip(sizes, shifts, strict=True))
        ]
        for day in range(1, days + 1):
            champion, challenger = (
                ArmResult(a.scores[: n * day], a.labels[: n * day]) for a, n in zip(arms, sizes, strict=True)
            )
            decision = after(day + rule.max_days - days, champion, challenger, rule)
            if decision.action != "wait":
                break
        ends[decision.action] += 1
    return Counter({action: count / RUNS for action, count in ends.items()})


AUC_75, AUC_70, AUC_67, AUC_80, AUC_83 = 0.954, 0.742, 0.622, 1.190, 1.349
"""The shifts that make these AUCs."""


@pytest.mark.parametrize(("a_day", "base"), [(850, 0.2), (6000, 0.02)])
def test_errors_are_as_seldom_as_stated_and_power_as_great(a_day: int, base: float) -> None:
    """Over all looks: equal is called worse, and worse by ``max_auc_loss`` is promoted, in 5 %; both sorts end."""
    noise = 2 * (ERROR * (1 - ERROR) / RUNS) ** 0.5
    equal = _canaries(RULE, a_day, base, (AUC_75, AUC_75))
    assert equal["roll_back"] <= ERROR + noise
    assert equal["promote"] >= 0.8 - noise, "what the estimate promises at this size"
    worse = _canaries(RULE, a_day, base, (AUC_75, AUC_67))
    assert worse["promote"] <= ERROR + noise
    assert worse["roll_back"] >= 0.8 - noise
    better = _canaries(RULE, a_day, base, (AUC_75, AUC_80))
    assert better["promote"] >= 0.95 - noise
    assert better["roll_back"] <= noise


def test_few_labels_roll_nobody_back() -> None:
    """At 300 labels a day of which 2 % are positive, no canary of two weeks acts: it says that it cannot tell."""
    rule = Release()
    for shift in (AUC_75, AUC_70, AUC_83):
        assert _canaries(rule, 300, 0.02, (AUC_75, shift), days=7) == {"cannot_tell": 1.0}


def test_why_is_said_in_numbers() -> None:
    """The reason carries the difference and its margin, the evidence both arms' figures."""
    decision = after(1.5, arm(2000, 1.0), arm(900, 0.0, 1))
    assert "AUC -0.2" in decision.why
    assert decision.evidence["days"] == 1 + 12 * HOUR / DAY
    assert decision.evidence["champion_labels"] == 2000
    assert decision.evidence["challenger_auc"] == pytest.approx(0.5, abs=0.05)


def test_cannot_tell_says_what_it_would_have_taken() -> None:
    """The reason names how many times the labels an equal version would have needed, or that none suffice."""
    assert "1.5 times the labels" in after(5, arm(2000, 1.0), arm(300, 0.9, 3)).why
    strict = Release(max_days=5, max_auc_loss=0)
    assert "only a version that is surely better" in after(5, arm(2000, 1.0), arm(900, 1.0, 1), strict).why
