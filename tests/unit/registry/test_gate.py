"""Proves the gate: what it asks for, what it says, and that nothing passes for want of a figure."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallbox.define.rules import Gate
from smallbox.registry.gate import judge

RULE = Gate(min_auc=0.6, max_calibration_error=0.1, max_auc_loss=0.01)
GOOD = {"auc": 0.7, "calibration_error": 0.05}
ALIKE = {"largest": 1e-7, "limit": 1e-4}

shares = st.floats(0, 1)


@pytest.mark.parametrize(
    ("metrics", "parity", "champion", "failed"),
    [
        (GOOD, ALIKE, None, []),
        (GOOD, ALIKE, {"auc": 0.705}, []),
        (GOOD | {"auc": 0.5}, ALIKE, None, ["auc"]),
        (GOOD | {"calibration_error": 0.2}, ALIKE, None, ["calibration"]),
        (GOOD, ALIKE | {"largest": 1e-3}, None, ["parity"]),
        (GOOD, ALIKE, {"auc": 0.75}, ["champion"]),
        (GOOD | {"auc": None}, ALIKE, {"auc": None}, ["auc", "champion"]),
        (GOOD | {"calibration_error": None}, ALIKE, None, ["calibration"]),
        (GOOD, ALIKE, {"auc": None}, ["champion"]),
    ],
)
def test_each_rule_refuses_for_its_own_reason(
    metrics: dict[str, Any], parity: dict[str, Any], champion: dict[str, Any] | None, failed: list[str]
) -> None:
    """A candidate is accepted when no check failed; a figure that the rows cannot tell fails its check."""
    verdict = judge(RULE, metrics, parity, champion)
    assert [check.name for check in verdict.checks if not check.passed] == failed
    assert verdict.accepted is (not failed)
    json.dumps(verdict.as_json(), allow_nan=False)


def test_a_refusal_says_only_what_failed() -> None:
    """The sentence names the figure and the limit of what failed, not of what passed."""
    assert judge(RULE, GOOD | {"auc": 0.5}, ALIKE, None).why == "AUC is 0.5000, at least 0.6000 is asked for"


def test_the_comparison_with_the_champion_says_how_sure_it_is() -> None:
    """The reason carries the gain on the same rows and its standard error."""
    champion = {"auc": 0.68, "auc_gain": 0.02, "auc_gain_standard_error": 0.004}
    assert "a gain of +0.0200, standard error 0.0040" in judge(RULE, GOOD, ALIKE, champion).why


@given(shares, shares, shares)
def test_a_better_candidate_is_never_refused_where_a_worse_one_passes(low: float, high: float, champion: float) -> None:
    """Acceptance is monotone in the candidate's AUC."""
    low, high = sorted((low, high))
    worse, better = (judge(RULE, GOOD | {"auc": auc}, ALIKE, {"auc": champion}) for auc in (low, high))
    assert better.accepted or not worse.accepted
