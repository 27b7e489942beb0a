"""Proves the decision: each reason in its order, and each said in words."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallbox.define.rules import Retrain
from smallbox.retraining.decision import Failures, Situation, Unreleased, decide
from smallbox.times import DAY

RULE = Retrain(every="30d", at_least="7d", on_breach=True)
NOW = 100 * DAY
CALM = Situation(champion_as_of=NOW - 10 * DAY, last_training=NOW - 10 * DAY, in_release=False, incidents=())
OLD = replace(CALM, champion_as_of=NOW - 60 * DAY, last_training=NOW - 30 * DAY)
WAITING = Unreleased(7, as_of=NOW - 10 * DAY, is_undecided=False)
UNDECIDED = replace(WAITING, is_undecided=True)
FAILED = Failures(times=1, last=NOW - DAY // 2, why="no label")


@pytest.mark.parametrize(
    ("situation", "train", "why"),
    [
        (CALM, False, "no incident asks for it, and the champion is 10.0 days old; due by age at 1970-05-01T00:00:00Z"),
        (replace(CALM, incidents=("auc is 0.5",)), True, "incident auc is 0.5"),
        (replace(CALM, champion_as_of=NOW - 30 * DAY), True, "30.0 days old; the limit is every=30d"),
        (replace(CALM, in_release=True, incidents=("auc is 0.5",)), False, "a release runs"),
        (replace(CALM, last_training=NOW - 6 * DAY, incidents=("auc is 0.5",)), False, "6.0 days ago, sooner than 7d"),
        (replace(CALM, champion_as_of=NOW - 60 * DAY, last_training=NOW - DAY), False, "1.0 days ago"),
        (replace(CALM, champion_as_of=None, last_training=None), True, "no champion"),
        (replace(CALM, incidents=("auc is 0.5",), unreleased=WAITING), False, "version 7 waits for its release"),
        (
            replace(OLD, unreleased=UNDECIDED),
            False,
            "version 7 could not be judged; the next training is due at",
        ),
        (replace(OLD, unreleased=replace(UNDECIDED, as_of=NOW - 30 * DAY)), True, "60.0 days old"),
        (replace(OLD, failures=FAILED), False, "failed: no label; the next try is due at 1970-04-11T12:00:00Z"),
        (replace(OLD, failures=replace(FAILED, last=NOW - DAY)), True, "60.0 days old"),
        (replace(CALM, yesterday=("refused yesterday: version 3, AUC",)), False, "; refused yesterday: version 3, AUC"),
    ],
    ids=[
        "calm",
        "breach",
        "old",
        "canary first",
        "too soon",
        "old, but too soon",
        "none yet",
        "one waits",
        "one is undecided",
        "one was undecided long ago",
        "failed half a day ago",
        "failed a day ago",
        "news",
    ],
)
def test_each_reason_decides_and_is_said(situation: Situation, train: bool, why: str) -> None:  # noqa: FBT001
    """The decision and its reason, for each situation that the rule tells apart."""
    decision = decide(RULE, situation, NOW)
    assert decision.train is train
    assert why in decision.why


def test_a_breach_alone_does_not_train_where_the_rule_says_so() -> None:
    """With ``on_breach`` off, only age trains."""
    rule = replace(RULE, on_breach=False)
    assert not decide(rule, replace(CALM, incidents=("auc is 0.5",)), NOW).train
    assert decide(rule, replace(CALM, champion_as_of=NOW - 31 * DAY), NOW).train


@given(st.integers(0, 200 * DAY), st.lists(st.text(), max_size=2).map(tuple))
def test_no_incident_trains_sooner_than_allowed(since: int, incidents: tuple[str, ...]) -> None:
    """Whatever happens, two trainings are at least ``at_least`` apart."""
    decision = decide(RULE, replace(CALM, last_training=NOW - since, incidents=incidents), NOW)
    assert not decision.train or since >= RULE.at_least_micros


@given(st.integers(1, 60))
def test_failed_trainings_are_tried_again_and_never_in_a_loop(times: int) -> None:
    """The first failure is tried again after a day, later ones after twice as long, up to ``at_least``."""
    failures = replace(FAILED, times=times)
    situation = replace(OLD, failures=failures)
    tried = [day for day in range(10) if decide(RULE, situation, failures.last + day * DAY).train]
    assert tried[0] == min(2 ** (times - 1), 7)
