"""Proves the decision: each reason in its order, and each said in words."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallbox.define.rules import Retrain
from smallbox.retraining.decide import Situation, decide
from smallbox.times import DAY

RULE = Retrain(every="30d", at_least="7d")
NOW = 100 * DAY
CALM = Situation(champion_as_of=NOW - 10 * DAY, last_training=NOW - 10 * DAY, canary=False, breaches=())


@pytest.mark.parametrize(
    ("situation", "train", "why"),
    [
        (CALM, False, "nothing breached, and the champion is 10.0 days old; due by age at 1970-05-01T00:00:00Z"),
        (replace(CALM, breaches=("auc is 0.5",)), True, "breached: auc is 0.5"),
        (replace(CALM, champion_as_of=NOW - 30 * DAY), True, "30.0 days old, 30d is the most"),
        (replace(CALM, canary=True, breaches=("auc is 0.5",)), False, "in a canary"),
        (replace(CALM, last_training=NOW - 6 * DAY, breaches=("auc is 0.5",)), False, "6.0 days ago, sooner than 7d"),
        (replace(CALM, champion_as_of=NOW - 60 * DAY, last_training=NOW - DAY), False, "1.0 days ago"),
        (replace(CALM, champion_as_of=None, last_training=None), True, "no champion"),
    ],
    ids=["calm", "breach", "old", "canary first", "too soon", "old, but too soon", "none yet"],
)
def test_each_reason_decides_and_is_said(situation: Situation, train: bool, why: str) -> None:  # noqa: FBT001
    """The decision and its reason, for each situation that the rule tells apart."""
    decision = decide(RULE, situation, NOW)
    assert decision.train is train
    assert why in decision.why


def test_a_breach_alone_does_not_train_where_the_rule_says_so() -> None:
    """With ``on_breach`` off, only age trains."""
    rule = replace(RULE, on_breach=False)
    assert not decide(rule, replace(CALM, breaches=("auc is 0.5",)), NOW).train
    assert decide(rule, replace(CALM, champion_as_of=NOW - 31 * DAY), NOW).train


@given(st.integers(0, 200 * DAY), st.lists(st.text(), max_size=2).map(tuple))
def test_no_breach_trains_sooner_than_allowed(since: int, breaches: tuple[str, ...]) -> None:
    """Whatever breaches, two trainings are at least ``at_least`` apart."""
    decision = decide(RULE, replace(CALM, last_training=NOW - since, breaches=breaches), NOW)
    assert not decision.train or since >= RULE.at_least_micros
