"""The gate: the tests that a candidate must pass before it may serve.

Each check is a one-sided test against a limit, at 95 % confidence: accepted when the true value is significantly on the
good side, refused when it is significantly on the bad side, ``cannot_tell`` in between. A candidate passes when all
checks accept (an intersection-union test: Berger, Technometrics 24, 1982), so one that breaks any single limit passes
with a probability of at most 5 %. See decisions 0022 and 0037.

Two checks compare mean losses on the same rows: with the constant baseline and with the champion. The others are the
declared guardrails.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from smallbox.define.rules import Gate, Guardrail
from smallbox.documents.gate_verdict import GateCheckReport, GateOutcome, VerdictReport
from smallbox.documents.metrics import BaselineComparison, ChampionComparison, Metrics, ParityReport, metric_of
from smallbox.documents.training_run import LabelReport
from smallbox.statistics.estimates import none_if_nan
from smallbox.statistics.intervals import Interval

_MAX_TIMES: Final = 100
"""A value that would need more than this many times the rows counts as on its limit."""


@dataclass(frozen=True, slots=True)
class GateCheck:
    """One check of the gate.

    Attributes:
        name: the check: ``rows``, ``rarer_rows``, ``parity``, ``labels``, ``baseline``, ``champion``, or the figure of
            a guardrail.
        value: what was measured; ``None`` when the rows could not give it.
        limit: the limit that the value was tested against.
        outcome: result of the test.
        why: one sentence for people.
        rows_needed: with ``cannot_tell``, about how many validation rows would decide if the values stay the same;
            ``None`` when no number would.
    """

    name: str
    value: float | None
    limit: float
    outcome: GateOutcome
    why: str
    rows_needed: int | None = None

    @property
    def passed(self) -> bool:
        """Whether the check accepts."""
        return self.outcome == "accepted"

    def as_json(self) -> GateCheckReport:
        """The check as a document."""
        return {
            "name": self.name,
            "value": self.value,
            "limit": self.limit,
            "outcome": self.outcome,
            "why": self.why,
            "rows_needed": self.rows_needed,
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of all checks together.

    Attributes:
        checks: every check that was done.
        warnings: the training run's warnings; they change no outcome.
    """

    checks: tuple[GateCheck, ...]
    warnings: tuple[str, ...] = ()

    @property
    def outcome(self) -> GateOutcome:
        """``refused`` if any check refuses, else ``cannot_tell`` if any cannot, else ``accepted``."""
        outcomes = {check.outcome for check in self.checks}
        if "refused" in outcomes:
            return "refused"
        return "cannot_tell" if "cannot_tell" in outcomes else "accepted"

    @property
    def accepted(self) -> bool:
        """Whether the candidate may be released."""
        return self.outcome == "accepted"

    @property
    def rows_needed(self) -> int | None:
        """With ``cannot_tell``, about how many validation rows would decide; ``None`` when unknown."""
        needed = [check.rows_needed for check in self.checks if check.outcome == "cannot_tell"]
        known = [rows for rows in needed if rows is not None]
        return max(known) if known and len(known) == len(needed) else None

    @property
    def why(self) -> str:
        """The sentences of the checks that gave the outcome, then the warnings."""
        decisive = [check.why for check in self.checks if check.outcome == self.outcome]
        return "; ".join([*decisive, *self.warnings])

    def as_json(self) -> VerdictReport:
        """The verdict as a document."""
        return {
            "outcome": self.outcome,
            "accepted": self.accepted,
            "why": self.why,
            "rows_needed": self.rows_needed,
            "checks": [check.as_json() for check in self.checks],
            "warnings": list(self.warnings),
        }


@dataclass(frozen=True, slots=True)
class CandidateEvidence:
    """What a training run found out about its candidate.

    Attributes:
        metrics: on the validation rows.
        baseline: the candidate beside the constant baseline on these rows.
        champion: beside the champion on these rows; ``None`` when there is none to compare with.
        parity: ONNX compared with scikit-learn.
        labels: share of unlabelled requests, and how well the inputs predict that a label is missing.
        warnings: the run's, to be part of the verdict.
    """

    metrics: Metrics
    baseline: BaselineComparison
    champion: ChampionComparison | None
    parity: ParityReport
    labels: LabelReport
    warnings: Sequence[str] = ()


def judge(rule: Gate, found: CandidateEvidence) -> Verdict:
    """Test a candidate against the rule, the baseline, and the champion if there is one."""
    checks = [*_size(rule, found.metrics), _same_answers(found.parity), _selection(rule, found.labels)]
    if all(check.passed for check in checks[:2]):
        checks += [_skill(rule, found), *_champion(rule, found)]
        checks += [_guardrail(one, found.metrics) for one in rule.guardrails]
    return Verdict(tuple(checks), tuple(found.warnings))


def _size(rule: Gate, metrics: Metrics) -> list[GateCheck]:
    """Whether there are enough rows for confidence bounds to be meaningful."""
    rows, rarer = metrics["rows"], metrics["rarer_rows"]
    for_rarer = math.ceil(rule.min_rarer * rows / rarer) if rarer else None
    return [
        _enough("rows", rows, rule.min_rows, "validation rows", rule.min_rows),
        _enough("rarer_rows", rarer, rule.min_rarer, "validation rows of the rarest outcome", for_rarer),
    ]


def _enough(name: str, value: int, limit: int, what: str, needed: int | None) -> GateCheck:
    why = f"there are {value:,} {what}, at least {limit:,} are asked for"
    if value >= limit:
        return GateCheck(name, value, limit, "accepted", why)
    return GateCheck(name, value, limit, "cannot_tell", f"{why}{_rows_sentence(needed)}", needed)


def _same_answers(parity: ParityReport) -> GateCheck:
    largest, limit = parity["largest"], parity["limit"]
    why = f"the difference of ONNX from scikit-learn is {largest:.4g}, at most {limit:.4g} is allowed"
    return GateCheck("parity", largest, limit, "accepted" if largest <= limit else "refused", why)


def _skill(rule: Gate, found: CandidateEvidence) -> GateCheck:
    """The mean loss lies at least ``min_skill`` of the baseline's below it."""
    limit = 0.0 - rule.min_skill * (found.baseline["loss"] or 0.0)
    difference = Interval.from_json(found.baseline["difference"])
    why = (
        f"the mean loss differs from the constant baseline's, {_shown(found.baseline['loss'])}, by "
        f"{_figure(difference, '+')}; at most {limit:+.4g} is asked for (min_skill={rule.min_skill:g})"
    )
    return _test_below("baseline", difference, limit, why, found.metrics["rows"])


def _champion(rule: Gate, found: CandidateEvidence) -> list[GateCheck]:
    """The mean loss lies at most ``max_loss_increase`` of the champion's above it."""
    champion = found.champion
    if champion is None:
        return []
    theirs = champion["loss"]["value"]
    limit, difference = rule.max_loss_increase * (theirs or 0.0), Interval.from_json(champion["difference"])
    why = (
        f"the mean loss differs from version {champion['version']}'s, {_shown(theirs)}, by "
        f"{_figure(difference, '+')}; at most {limit:+.4g} is allowed (max_loss_increase={rule.max_loss_increase:g})"
    )
    return [_test_below("champion", difference, limit, why, found.metrics["rows"])]


def _guardrail(one: Guardrail, metrics: Metrics) -> GateCheck:
    found = Interval.from_json(metric_of(metrics, one.figure))
    said = "at least" if one.side == "floor" else "at most"
    why = f"{one.figure} is {_figure(found)}, {said} {one.limit:g} is asked for"
    side = found if one.side == "ceiling" else _negative(found)
    limit = one.limit if one.side == "ceiling" else -one.limit
    check = _test_below(one.figure, side, limit, why, metrics["rows"])
    return replace(check, value=none_if_nan(found.value), limit=one.limit)


def _negative(found: Interval) -> Interval:
    return Interval(-found.value, -found.high, -found.low)


def _selection(rule: Gate, labels: LabelReport) -> GateCheck:
    """Unlabelled requests must be few, or like the labelled ones; otherwise the model learns from a biased sample."""
    share = labels["unlabelled_share"]
    few = f"{share:.1%} of the requests have no label, up to {rule.max_unlabelled:.1%} may"
    if share <= rule.max_unlabelled:
        return GateCheck("labels", share, rule.max_unlabelled, "accepted", few)
    found = Interval.from_json(labels["selection_auc"])
    is_known = not math.isnan(found.value)
    seen = f"tell them from the labelled ones with an AUC of {_figure(found)}" if is_known else "cannot tell"
    why = (
        f"{few}, and the inputs {seen}, where {rule.max_selection_auc:.4f} is allowed: write "
        "label(..., otherwise=False) where silence is the negative, or a longer within; if such requests are not to be "
        "predicted either, raise Gate.max_unlabelled"
    )
    return _test_below("labels", found, rule.max_selection_auc, why, None)


def _test_below(name: str, found: Interval, limit: float, why: str, rows: int | None) -> GateCheck:
    """One-sided test whether the true value lies below the limit; a value that is surely on it is not told."""
    value = none_if_nan(found.value)
    if math.isnan(found.low) or math.isnan(found.high):
        return GateCheck(name, value, limit, "cannot_tell", f"{why}{_rows_sentence(None)}")
    if found.high < limit or found.low > limit:
        return GateCheck(name, value, limit, "accepted" if found.high < limit else "refused", why)
    needed = None if rows is None else _rows_needed(found, limit, rows)
    return GateCheck(name, value, limit, "cannot_tell", f"{why}{_rows_sentence(needed)}", needed)


def _rows_needed(found: Interval, limit: float, rows: int) -> int | None:
    """How many rows make the distance from the limit significant: bounds close in with the square root of the rows."""
    distance = abs(found.value - limit)
    doubt = found.high - found.value if found.value <= limit else found.value - found.low
    times = (doubt / distance) ** 2 if distance else math.inf
    return math.floor(rows * times) + 1 if times <= _MAX_TIMES else None


def _rows_sentence(needed: int | None) -> str:
    if needed is None:
        return "; the validation rows cannot tell"
    return f"; about {needed:,} validation rows would tell (a longer Retrain.validation)"


def _shown(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.4g}"


def _figure(found: Interval, sign: str = "") -> str:
    if math.isnan(found.value):
        return "unknown"
    return f"{found.value:{sign}.4g} ({found.low:{sign}.4g} to {found.high:{sign}.4g})"
