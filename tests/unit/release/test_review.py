"""Proves the review: it waits, decides on evidence, and is as seldom wrong as it says, however often it looks."""

import json

import numpy as np
import pytest

from smallbox.define.rules import Release
from smallbox.release.review import ArmResult, Decision, review
from smallbox.times import DAY, HOUR

RULE = Release(canary=0.3, min_labels=200, max_days=4, max_auc_loss=0.03, confidence=0.95)


def arm(size: int, shift: float, seed: int = 0) -> ArmResult:
    """An arm whose positives score higher by ``shift`` standard deviations."""
    random = np.random.default_rng(seed)
    labels = random.random(size) < 0.3
    return ArmResult(1 / (1 + np.exp(-(random.normal(size=size) + shift * labels))), labels)


def after(days: float, champion: ArmResult, challenger: ArmResult) -> Decision:
    """What the review says on that day."""
    return review(RULE, champion, challenger, since=DAY, now=DAY + int(days * DAY))


@pytest.mark.parametrize(
    ("days", "challenger", "action"),
    [
        (1, arm(150, 1.0, 1), "wait"),
        (4, arm(150, 1.0, 1), "roll_back"),
        (1, arm(900, 1.0, 1), "wait"),
        (4, arm(900, 1.0, 1), "promote"),
        (3, arm(300, 0.8, 3), "wait"),
        (4, arm(300, 0.8, 3), "roll_back"),
        (1, arm(900, 0.0, 1), "roll_back"),
        (1, arm(900, 3.0, 1), "promote"),
    ],
    ids=[
        "too few labels",
        "too few at the end",
        "as good",
        "as good at the end",
        "maybe worse",
        "maybe worse at the end",
        "far worse",
        "far better",
    ],
)
def test_what_is_decided_when(days: float, challenger: ArmResult, action: str) -> None:
    """Nothing on few labels, at once what is sure either way, and at the end whatever lost less than is allowed."""
    decision = after(days, arm(2000, 1.0), challenger)
    assert decision.action == action, decision.why
    json.dumps(decision.evidence, allow_nan=False)


@pytest.mark.parametrize("which", ["champion", "challenger"])
def test_an_arm_with_one_class_is_never_promoted(which: str) -> None:
    """Where an AUC cannot be told, of either arm, the review waits and then rolls back."""
    good = arm(900, 1.0)
    blind = ArmResult(good.scores, np.zeros(900, bool))
    arms = (blind, good) if which == "champion" else (good, blind)
    assert after(1, *arms).action == "wait"
    assert after(4, *arms).action == "roll_back"


def test_looking_every_day_keeps_the_confidence() -> None:
    """Of 400 challengers as good as the champion, at most 5 % are called worse over four daily looks, not a look."""
    called_worse = 0
    for seed in range(400):
        champion, challenger = arm(4 * 700, 1.0, 2 * seed), arm(4 * 300, 1.0, 2 * seed + 1)
        for day in range(1, 5):
            seen = [
                ArmResult(a.scores[: n * day], a.labels[: n * day]) for a, n in ((champion, 700), (challenger, 300))
            ]
            decision = after(day, *seen)
            if decision.action != "wait":
                break
        called_worse += "is worse" in decision.why
    assert called_worse / 400 <= 0.05


def test_why_is_said_in_numbers() -> None:
    """The reason carries the difference and its margin, the evidence both arms' figures."""
    decision = after(1.5, arm(2000, 1.0), arm(900, 0.0, 1))
    assert "AUC -0.2" in decision.why
    assert decision.evidence["days"] == 1 + 12 * HOUR / DAY
    assert decision.evidence["champion_labels"] == 2000
    assert decision.evidence["challenger_auc"] == pytest.approx(0.5, abs=0.05)
