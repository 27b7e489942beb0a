"""Proves the gate: what it asks for and says, what it cannot tell, and that nothing passes for want of a figure."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallbox.define.rules import Gate
from smallbox.errors import DefinitionError
from smallbox.registry.gate import Verdict, judge
from smallbox.statistics.calibration import expected_error, true_error

RULE = Gate(min_auc=0.6, max_calibration_error=0.1, max_auc_loss=0.01)
GOOD: Any = {
    "rows": 4_000,
    "rarer_rows": 800,
    "auc": 0.7,
    "calibration_error": 0.05,
    "calibration_error_by_chance": 0.016,
    "calibration_standard_error": 0.0063,
}
ALIKE: Any = {"largest": 1e-7, "limit": 1e-4}
LABELS: Any = {"unlabelled_share": 0.03, "selection_auc": 0.8, "selection_auc_standard_error": 0.01}
EQUAL: Any = {"auc_gain": 0.0, "auc_gain_standard_error": 0.003}

shares = st.floats(0, 1)
ACCEPTED, REFUSED, UNTOLD = "accepted", "refused", "cannot_tell"


def judged(
    metrics: dict[str, Any] | None = None,
    parity: dict[str, Any] | None = None,
    champion: Any = None,
    labels: dict[str, Any] | None = None,
) -> Verdict:
    """The verdict on a good candidate with those figures changed."""
    return judge(RULE, GOOD | (metrics or {}), ALIKE | (parity or {}), champion, LABELS | (labels or {}))


@pytest.mark.parametrize(
    ("changed", "name", "outcome"),
    [
        ({}, None, ACCEPTED),
        ({"champion": EQUAL}, None, ACCEPTED),
        ({"metrics": {"auc": 0.5}}, "auc", REFUSED),
        ({"metrics": {"auc": 0.61}}, "auc", UNTOLD),
        ({"metrics": {"calibration_error": 0.2}}, "calibration", REFUSED),
        ({"metrics": {"calibration_error": 0.095}}, "calibration", UNTOLD),
        ({"parity": {"largest": 1e-3}}, "parity", REFUSED),
        ({"champion": EQUAL | {"auc_gain": -0.02}}, "champion", REFUSED),
        ({"champion": EQUAL | {"auc_gain": -0.01}}, "champion", UNTOLD),
        ({"champion": {"auc_gain": None, "auc_gain_standard_error": None}}, "champion", UNTOLD),
        ({"metrics": {"rows": 99, "rarer_rows": 40}}, "rows", UNTOLD),
        ({"metrics": {"rarer_rows": 19}}, "rarer_rows", UNTOLD),
        ({"metrics": {"rarer_rows": 0, "auc": None}}, "rarer_rows", UNTOLD),
        ({"metrics": {"calibration_error": None}}, "calibration", UNTOLD),
        ({"labels": {"unlabelled_share": 0.5}}, "labels", REFUSED),
        ({"labels": {"unlabelled_share": 0.5, "selection_auc": 0.5}}, None, ACCEPTED),
        ({"labels": {"unlabelled_share": 0.5, "selection_auc": 0.6}}, "labels", UNTOLD),
        ({"labels": {"unlabelled_share": 0.5, "selection_auc": None}}, "labels", UNTOLD),
    ],
)
def test_each_rule_stops_a_candidate_for_its_own_reason(
    changed: dict[str, Any], name: str | None, outcome: str
) -> None:
    """A figure that is surely too bad refuses; one near its limit, or unknown, cannot be told. Neither is accepted."""
    verdict = judged(**changed)
    assert [(check.name, check.outcome) for check in verdict.checks if not check.passed] == (
        [] if name is None else [(name, outcome)]
    )
    assert (verdict.outcome, verdict.accepted) == (outcome, outcome == ACCEPTED)
    json.dumps(verdict.as_json(), allow_nan=False)


def test_a_refusal_says_only_what_refused() -> None:
    """The sentence names the figure, how sure it is and the limit of what refused, not what passed or is open."""
    why = judged({"auc": 0.5}, champion=EQUAL | {"auc_gain": -0.01}).why
    assert why == "AUC is 0.5000 (standard error 0.0111), at least 0.6000 is asked for"


def test_what_cannot_be_told_says_what_it_would_take() -> None:
    """Rows to have a figure at all, or to be sure of one: then the same figures settle it."""
    few = judged({"rows": 50, "rarer_rows": 5})
    assert few.rows_needed == 200
    assert "about 200 validation rows would tell (a longer Retrain.validation)" in few.why
    near = judged({"auc": 0.61})
    assert near.rows_needed == pytest.approx(4_000 * (1.645 * 0.0111 / 0.01) ** 2, rel=0.02)
    assert near.rows_needed is not None
    times = near.rows_needed / 4_000
    assert judged({"auc": 0.61, "rows": near.rows_needed, "rarer_rows": 800 * times}).accepted


@given(st.floats(0, 0.3), st.floats(0.001, 0.1))
def test_rows_that_are_there_already_are_never_asked_for(value: float, by_chance: float) -> None:
    """An undecided calibration asks for more rows than it had, or says that no number would tell."""
    figures = {"calibration_error": value, "calibration_error_by_chance": by_chance}
    verdict = judged(figures | {"calibration_standard_error": by_chance * 0.4})
    assert verdict.outcome != UNTOLD or verdict.rows_needed is None or verdict.rows_needed > GOOD["rows"]


def test_the_rows_that_it_asks_for_settle_a_calibration() -> None:
    """With so many rows, and what the true error then shows, the check decides; with the rows it had, it did not."""
    by_chance, error, seen = 0.0373, 0.015, 0.0835
    figures = {"calibration_error_by_chance": by_chance, "calibration_standard_error": error}
    few = judged(figures | {"rows": 900, "calibration_error": seen})
    assert few.outcome == UNTOLD
    assert few.rows_needed is not None
    shrink = (900 / few.rows_needed) ** 0.5
    more = {name: figure * shrink for name, figure in figures.items()}
    shown = expected_error(true_error(seen, by_chance), by_chance * shrink)
    assert judged(more | {"rows": few.rows_needed, "calibration_error": shown}).outcome == ACCEPTED


def test_a_figure_on_its_limit_is_settled_by_no_number_of_rows() -> None:
    """Nothing is promised then; nor where one of two open checks is so."""
    verdict = judged({"auc": 0.6}, champion=EQUAL | {"auc_gain": -0.008, "auc_gain_standard_error": 0.01})
    assert verdict.outcome == UNTOLD
    assert verdict.rows_needed is None
    assert "the validation rows cannot tell" in verdict.why


def test_scores_of_nothing_but_0_and_1_are_judged() -> None:
    """Such scores leave nothing to chance: their calibration error is held against the limit itself."""
    perfect = {"calibration_error": 0.0, "calibration_error_by_chance": 0.0, "calibration_standard_error": 0.0}
    assert judged(perfect).outcome == ACCEPTED
    assert judged(perfect | {"calibration_error": 0.2}).outcome == REFUSED


def test_labels_that_are_not_like_the_others_say_what_to_write() -> None:
    """The reason has the share, how well the inputs tell the two apart, and both ways out."""
    why = judged(labels={"unlabelled_share": 0.5}).why
    for words in ("50.0% of the requests", "AUC of 0.8000", "write label(..., otherwise=False)", "a longer within"):
        assert words in why


def test_warnings_stand_in_the_verdict_and_refuse_nothing() -> None:
    """They are read behind the reasons, of an accepted candidate too."""
    verdict = judge(RULE, GOOD, ALIKE, None, LABELS, ["an AUC of 1.0000 is suspicious"])
    assert verdict.accepted
    assert verdict.why.endswith("; an AUC of 1.0000 is suspicious")
    assert verdict.as_json()["warnings"] == ["an AUC of 1.0000 is suspicious"]


@given(shares, shares, st.floats(-1, 1), st.floats(-1, 1))
def test_a_better_candidate_is_never_stopped_where_a_worse_one_passes(
    low: float, high: float, loss: float, gain: float
) -> None:
    """Acceptance is monotone in the candidate's AUC and in its gain; refusal the other way."""
    (low, high), (loss, gain) = sorted((low, high)), sorted((loss, gain))
    worse = judged({"auc": low}, champion=EQUAL | {"auc_gain": loss})
    better = judged({"auc": high}, champion=EQUAL | {"auc_gain": gain})
    assert better.accepted or not worse.accepted
    assert better.outcome != REFUSED or worse.outcome == REFUSED


@pytest.mark.parametrize("wrong", [{"min_rarer": 1}, {"min_rows": 30}, {"max_unlabelled": 2.0}])
def test_a_gate_that_asks_for_nonsense_is_refused(wrong: dict[str, Any]) -> None:
    """One row has no variance, the rarer class is at most half of the rows, and shares lie between 0 and 1."""
    with pytest.raises(DefinitionError, match=next(iter(wrong))):
        Gate(**wrong)
