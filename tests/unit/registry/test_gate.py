"""Proves the gate: what it asks for and says, what it cannot tell, and that nothing passes for want of a figure."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallbox.define.rules import Gate, ceiling, floor
from smallbox.errors import DefinitionError
from smallbox.registry.gate import CandidateEvidence, Verdict, judge
from smallbox.statistics.calibration import Calibration, expected_error, true_error

RULE = Gate(guardrails=(floor("auc", 0.6), ceiling("calibration_error", 0.1)), min_skill=0.05, max_loss_increase=0.02)


def about(value: float, bound: float) -> dict[str, float]:
    """A figure whose bounds lie that far on either side."""
    return {"value": value, "low": value - bound, "high": value + bound}


def auc(value: float, bound: float = 0.02) -> dict[str, Any]:
    """Changed figures: the AUC."""
    return {"auc": about(value, bound)}


def gap(value: float, bound: float = 0.02) -> dict[str, Any]:
    """Changed figures: the calibration error."""
    return {"calibration_error": about(value, bound)}


UNKNOWN: Any = {"value": None, "low": None, "high": None}
GOOD: Any = {"rows": 4_000, "rarer_rows": 800, "loss": about(0.4, 0.01)}
FIGURES: Any = {**auc(0.7), **gap(0.05)}
ALIKE: Any = {"largest": 1e-7, "limit": 1e-4}
LABELS: Any = {"unlabelled_share": 0.03, "selection_auc": about(0.8, 0.0165)}
BASELINE: Any = {"outputs": [0.2], "loss": 0.5, "difference": about(-0.1, 0.02)}
EQUAL: Any = {"version": 7, "loss": about(0.5, 0.01), "difference": about(0.0, 0.005)}

shares = st.floats(0, 1)
ACCEPTED, REFUSED, UNTOLD = "accepted", "refused", "cannot_tell"


def beside(value: float, bound: float = 0.005) -> Any:
    """A champion of loss .5, so that .01 more is allowed, and the candidate's difference from it."""
    return EQUAL | {"difference": about(value, bound)}


def judged(
    metrics: dict[str, Any] | None = None,
    figures: dict[str, Any] | None = None,
    parity: dict[str, Any] | None = None,
    baseline: dict[str, Any] | None = None,
    champion: Any = None,
    labels: dict[str, Any] | None = None,
) -> Verdict:
    """The verdict on a good candidate with those figures changed."""
    measured: Any = {"figures": FIGURES | (figures or {}), **GOOD, **(metrics or {})}
    evidence = CandidateEvidence(
        measured, BASELINE | (baseline or {}), champion, ALIKE | (parity or {}), LABELS | (labels or {})
    )
    return judge(RULE, evidence)


@pytest.mark.parametrize(
    ("changed", "name", "outcome"),
    [
        ({}, None, ACCEPTED),
        ({"champion": EQUAL}, None, ACCEPTED),
        ({"figures": auc(0.5)}, "auc", REFUSED),
        ({"figures": auc(0.61)}, "auc", UNTOLD),
        ({"figures": auc(0.59)}, "auc", UNTOLD),
        ({"figures": {"auc": UNKNOWN}}, "auc", UNTOLD),
        ({"figures": gap(0.2)}, "calibration_error", REFUSED),
        ({"figures": gap(0.095)}, "calibration_error", UNTOLD),
        ({"figures": {"calibration_error": UNKNOWN}}, "calibration_error", UNTOLD),
        ({"parity": {"largest": 1e-3}}, "parity", REFUSED),
        ({"baseline": {"difference": about(0.01, 0.02)}}, "baseline", REFUSED),
        ({"baseline": {"difference": about(-0.04, 0.02)}}, "baseline", UNTOLD),
        ({"baseline": {"difference": UNKNOWN}}, "baseline", UNTOLD),
        ({"champion": beside(0.02)}, "champion", REFUSED),
        ({"champion": beside(0.004)}, None, ACCEPTED),
        ({"champion": beside(0.006)}, "champion", UNTOLD),
        ({"champion": EQUAL | {"difference": UNKNOWN}}, "champion", UNTOLD),
        ({"metrics": {"rows": 99, "rarer_rows": 40}}, "rows", UNTOLD),
        ({"metrics": {"rarer_rows": 19}}, "rarer_rows", UNTOLD),
        ({"metrics": {"rarer_rows": 0}, "figures": {"auc": UNKNOWN}}, "rarer_rows", UNTOLD),
        ({"labels": {"unlabelled_share": 0.5}}, "labels", REFUSED),
        ({"labels": {"unlabelled_share": 0.5, "selection_auc": about(0.5, 0.0165)}}, None, ACCEPTED),
        ({"labels": {"unlabelled_share": 0.5, "selection_auc": about(0.6, 0.0165)}}, "labels", UNTOLD),
        ({"labels": {"unlabelled_share": 0.5, "selection_auc": UNKNOWN}}, "labels", UNTOLD),
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


def test_the_checks_of_a_candidate_stand_in_their_order() -> None:
    """Size, parity, labels, the two comparisons of losses, then each guardrail as it was declared, with its limit."""
    checks = judged(champion=EQUAL).checks
    names = ["rows", "rarer_rows", "parity", "labels", "baseline", "champion", "auc", "calibration_error"]
    assert [check.name for check in checks] == names
    assert [(check.value, check.limit) for check in checks[4:]] == [
        (-0.1, -0.025),
        (0.0, 0.01),
        (0.7, 0.6),
        (0.05, 0.1),
    ]


def test_a_guardrail_for_a_figure_that_was_not_measured_accepts_nothing() -> None:
    """A figure that the document lacks is unknown, and the gate cannot tell."""
    evidence = CandidateEvidence(GOOD | {"figures": FIGURES}, BASELINE, None, ALIKE, LABELS)
    verdict = judge(Gate(guardrails=(ceiling("mae", 20),)), evidence)
    assert [(check.name, check.outcome) for check in verdict.checks if not check.passed] == [("mae", UNTOLD)]


def test_the_skill_asked_for_is_a_share_of_the_baselines_loss() -> None:
    """5 % of a loss of .5 is .025: that much less is asked for, and with more it is accepted."""
    assert judged(baseline={"difference": about(-0.0255, 0.0004)}).outcome == ACCEPTED
    assert judged(baseline={"difference": about(-0.0245, 0.0004)}).outcome == REFUSED
    assert "by -0.0245 (-0.0249 to -0.0241); at most -0.025 is asked for (min_skill=0.05)" in (
        judged(baseline={"difference": about(-0.0245, 0.0004)}).why
    )


def test_a_refusal_says_only_what_refused() -> None:
    """The sentence names the figure, how sure it is and the limit of what refused, not what passed or is open."""
    why = judged(figures=auc(0.5), champion=beside(0.006)).why
    assert why == "auc is 0.5 (0.48 to 0.52), at least 0.6 is asked for"
    why = judged(champion=beside(0.02)).why
    assert why == (
        "the mean loss differs from version 7's, 0.5, by +0.02 (+0.015 to +0.025); at most +0.01 is allowed "
        "(max_loss_increase=0.02)"
    )


def test_what_cannot_be_told_says_what_it_would_take() -> None:
    """Rows to have a figure at all, or to be sure of one: then the same figures settle it."""
    few = judged({"rows": 50, "rarer_rows": 5})
    assert few.rows_needed == 200
    assert "about 200 validation rows would tell (a longer Retrain.validation)" in few.why
    near = judged(figures=auc(0.61))
    assert near.rows_needed == pytest.approx(4_000 * 2**2, abs=1)
    assert near.rows_needed is not None
    bound = 0.02 * (4_000 / (near.rows_needed + 1)) ** 0.5
    assert judged(figures=auc(0.61, bound)).accepted


@given(st.floats(0, 0.3), st.floats(0.001, 0.1))
def test_rows_that_are_there_already_are_never_asked_for(value: float, by_chance: float) -> None:
    """An undecided calibration asks for more rows than it had, or says that no number would tell."""
    verdict = judged(figures={"calibration_error": Calibration(value, by_chance, by_chance * 0.4).interval.as_json()})
    assert verdict.outcome != UNTOLD or verdict.rows_needed is None or verdict.rows_needed > GOOD["rows"]


def test_the_rows_that_it_asks_for_settle_a_calibration() -> None:
    """With so many rows, and what the true error then shows, the check decides; with the rows it had, it did not."""
    by_chance, error, seen = 0.0373, 0.015, 0.0835
    few = judged(figures={"calibration_error": Calibration(seen, by_chance, error).interval.as_json()})
    assert few.outcome == UNTOLD
    assert few.rows_needed is not None
    shrink = (GOOD["rows"] / few.rows_needed) ** 0.5
    shown = expected_error(true_error(seen, by_chance), by_chance * shrink)
    more = Calibration(shown, by_chance * shrink, error * shrink)
    assert judged(figures={"calibration_error": more.interval.as_json()}).outcome == ACCEPTED


def test_a_figure_on_its_limit_is_settled_by_no_number_of_rows() -> None:
    """Nothing is promised then; nor where one of two open checks is so."""
    verdict = judged(figures=auc(0.6), champion=beside(0.008, 0.01))
    assert verdict.outcome == UNTOLD
    assert verdict.rows_needed is None
    assert "the validation rows cannot tell" in verdict.why


def test_scores_of_nothing_but_0_and_1_are_judged() -> None:
    """Such scores leave nothing to chance: their calibration error is held against the limit itself."""
    perfect, wrong = (Calibration(error, 0.0, 0.0).interval.as_json() for error in (0.0, 0.2))
    assert judged(figures={"calibration_error": perfect}).outcome == ACCEPTED
    assert judged(figures={"calibration_error": wrong}).outcome == REFUSED


def test_labels_that_are_not_like_the_others_say_what_to_write() -> None:
    """The reason has the share, how well the inputs tell the two apart, and both ways out."""
    why = judged(labels={"unlabelled_share": 0.5}).why
    for words in ("50.0% of the requests", "AUC of 0.8 (0.", "write label(..., otherwise=False)", "a longer within"):
        assert words in why


def test_warnings_stand_in_the_verdict_and_refuse_nothing() -> None:
    """They are read behind the reasons, of an accepted candidate too."""
    said = "a skill of 1.0000 is suspicious"
    evidence = CandidateEvidence(GOOD | {"figures": FIGURES}, BASELINE, None, ALIKE, LABELS, [said])
    verdict = judge(RULE, evidence)
    assert verdict.accepted
    assert verdict.why.endswith(f"; {said}")
    assert verdict.as_json()["warnings"] == [said]


@given(shares, shares, st.lists(st.floats(-1, 1), min_size=4, max_size=4))
def test_a_better_candidate_is_never_stopped_where_a_worse_one_passes(
    low: float, high: float, differences: list[float]
) -> None:
    """Acceptance is monotone in a guardrail's figure and in both differences; refusal the other way."""
    (low, high), (one, other), (third, fourth) = sorted((low, high)), sorted(differences[:2]), sorted(differences[2:])
    worse = judged(figures=auc(low), baseline={"difference": about(other, 0.02)}, champion=beside(fourth))
    better = judged(figures=auc(high), baseline={"difference": about(one, 0.02)}, champion=beside(third))
    assert better.accepted or not worse.accepted
    assert better.outcome != REFUSED or worse.outcome == REFUSED


@pytest.mark.parametrize(
    "wrong",
    [{"min_rarer": 1}, {"min_rows": 30}, {"max_unlabelled": 2.0}, {"min_skill": -0.1}, {"max_loss_increase": 2}],
)
def test_a_gate_that_asks_for_nonsense_is_refused(wrong: dict[str, Any]) -> None:
    """One row has no variance, the rarer class is at most half of the rows, and shares lie between 0 and 1."""
    with pytest.raises(DefinitionError, match=next(iter(wrong))):
        Gate(**wrong)
