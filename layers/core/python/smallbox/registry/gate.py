"""The gate: the tests that a candidate must pass before it may serve.

Each check is a one-sided test of a metric against its limit, at 95 % confidence: accepted when the metric is
significantly on the good side, refused when it is significantly on the bad side, ``cannot_tell`` in between. A
candidate passes when all checks accept (an intersection-union test: Berger, Technometrics 24, 1982), so one that breaks
any single limit passes with a probability of at most 5 %. See decision 0022.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from smallbox.define.rules import Gate
from smallbox.documents.gate_verdict import GateCheckReport, GateOutcome, VerdictReport
from smallbox.documents.metrics import BinaryMetrics, ChampionComparison, ParityReport
from smallbox.documents.training_run import LabelReport
from smallbox.statistics.calibration import expected_error, true_error
from smallbox.statistics.confidence import Z_CONFIDENCE, side_of

_MAX_TIMES: Final = 100
"""A metric that would need more than this many times the rows counts as on its limit."""
_STEP: Final = 1.05
"""The number of rows that would settle a check is searched in steps of 5 %."""


@dataclass(frozen=True, slots=True)
class GateCheck:
    """One check of the gate.

    Attributes:
        name: the check: ``rows``, ``rarer_rows``, ``parity``, ``labels``, ``auc``, ``calibration`` or ``champion``.
        value: what was measured; ``None`` when the rows could not give it.
        limit: the limit that the value was tested against.
        outcome: result of the test.
        why: one sentence for people.
        rows_needed: with ``cannot_tell``, about how many validation rows would decide if the metrics stay the same;
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


def judge(
    rule: Gate,
    metrics: BinaryMetrics,
    parity: ParityReport,
    champion: ChampionComparison | None,
    labels: LabelReport,
    warnings: Sequence[str] = (),
) -> Verdict:
    """Test a candidate against the rule, and against the champion on the same rows if there is one.

    Args:
        rule: the model's gate.
        metrics: the candidate's, on the validation rows.
        parity: ONNX compared with scikit-learn.
        champion: the comparison with the champion.
        labels: share of unlabelled requests, and how well the inputs predict that a label is missing.
        warnings: the training run's, to be part of the verdict.
    """
    checks = [*_size(rule, metrics), _same_answers(parity), _selection(rule, labels)]
    if all(check.passed for check in checks[:2]):
        checks += [_auc(rule, metrics), _calibration(rule, metrics)]
        checks += [] if champion is None else [_gain(rule, metrics, champion)]
    return Verdict(tuple(checks), tuple(warnings))


def _size(rule: Gate, metrics: BinaryMetrics) -> list[GateCheck]:
    """Whether there are enough rows for standard errors to be meaningful."""
    rows, rarer = metrics["rows"], metrics["rarer_rows"]
    for_rarer = math.ceil(rule.min_rarer * rows / rarer) if rarer else None
    return [
        _enough("rows", rows, rule.min_rows, "validation rows", rule.min_rows),
        _enough("rarer_rows", rarer, rule.min_rarer, "validation rows of the rarer class", for_rarer),
    ]


def _enough(name: str, value: int, limit: int, what: str, needed: int | None) -> GateCheck:
    why = f"there are {value:,} {what}, at least {limit:,} are asked for"
    if value >= limit:
        return GateCheck(name, value, limit, "accepted", why)
    return GateCheck(name, value, limit, "cannot_tell", f"{why}{_rows_sentence(needed)}", needed)


def _same_answers(parity: ParityReport) -> GateCheck:
    largest, limit = parity["largest"], parity["limit"]
    why = f"the difference of ONNX from scikit-learn is {largest:.4f}, at most {limit:.4f} is allowed"
    return GateCheck("parity", largest, limit, "accepted" if largest <= limit else "refused", why)


def _auc(rule: Gate, metrics: BinaryMetrics) -> GateCheck:
    value, limit = metrics["auc"], rule.min_auc
    error = _error_at(limit, metrics["rarer_rows"], metrics["rows"] - metrics["rarer_rows"])
    why = f"AUC is {_figure(value, error)}, at least {limit:.4f} is asked for"
    return _test_at_least("auc", value, error, limit, why, metrics["rows"])


def _error_at(true: float, rows: int, others: int) -> float:
    """The standard error of an AUC whose true value is ``true``, with so many rows of one class and of the other.

    Taken at the limit, by Hanley and McNeil (Radiology 143, 1982), in the symmetric form of Newcombe (Statistics in
    Medicine 25, 2006, 559-573), whose method 5 does so too. DeLong's own estimate is too small when few rows happen to
    be ranked well; the test would then err up to four times as often as stated.
    """
    mean = (rows + others) / 2 - 1
    spread = 1 + mean * ((1 - true) / (2 - true) + true / (1 + true))
    return math.sqrt(true * (1 - true) * spread / (rows * others))


def _gain(rule: Gate, metrics: BinaryMetrics, champion: ChampionComparison) -> GateCheck:
    value, error = champion["auc_gain"], champion["auc_gain_standard_error"]
    gain = _figure(value, error, "+")
    why = f"AUC beside the champion's is {gain}, a loss of at most {rule.max_auc_loss:.4f} is allowed"
    return _test_at_least("champion", value, error, -rule.max_auc_loss, why, metrics["rows"])


def _calibration(rule: Gate, metrics: BinaryMetrics) -> GateCheck:
    """Test the calibration error against the error to expect if its true value were at the limit.

    The measured error is never 0 on finite rows. It is smallest when the true error is spread evenly over the bins:
    this bounds acceptance. On average it is at most the true error plus the error by chance: this bounds refusal.
    """
    value, error = metrics["calibration_error"], metrics["calibration_standard_error"]
    by_chance, limit = metrics["calibration_error_by_chance"], rule.max_calibration_error
    if value is None or error is None or by_chance is None:
        return GateCheck("calibration", None, limit, "cannot_tell", "the calibration error is unknown")
    why = (
        f"calibration error is {value:.4f} (perfect scores would show {by_chance:.4f} on so few rows), at most "
        f"{limit:.4f} is allowed"
    )
    if value <= expected_error(limit, by_chance) - Z_CONFIDENCE * error:
        return GateCheck("calibration", value, limit, "accepted", why)
    if value > limit + by_chance + Z_CONFIDENCE * error:
        return GateCheck("calibration", value, limit, "refused", why)
    times = _times_to_settle(value, error, by_chance, limit)
    needed = None if times is None else math.ceil(metrics["rows"] * times)
    return GateCheck("calibration", value, limit, "cannot_tell", f"{why}{_rows_sentence(needed)}", needed)


def _times_to_settle(value: float, error: float, by_chance: float, limit: float) -> float | None:
    """How many times the rows settle the calibration check, if the true error is the one that fits ``value``.

    Both the standard error and the error by chance fall with the square root of the rows. ``None``: no number up to
    ``_MAX_TIMES`` settles it.
    """
    true = true_error(value, by_chance)
    for step in range(1, math.ceil(math.log(_MAX_TIMES) / math.log(_STEP)) + 1):
        shrink = _STEP ** (-step / 2)
        shown, doubt, chance = (
            expected_error(true, by_chance * shrink),
            Z_CONFIDENCE * error * shrink,
            by_chance * shrink,
        )
        if shown <= expected_error(limit, chance) - doubt or shown > limit + chance + doubt:
            return _STEP**step
    return None


def _selection(rule: Gate, labels: LabelReport) -> GateCheck:
    """Unlabelled requests must be few, or like the labelled ones; otherwise the model learns from a biased sample."""
    share = labels["unlabelled_share"]
    few = f"{share:.1%} of the requests have no label, up to {rule.max_unlabelled:.1%} may"
    if share <= rule.max_unlabelled:
        return GateCheck("labels", share, rule.max_unlabelled, "accepted", few)
    value, error = labels["selection_auc"], labels["selection_auc_standard_error"]
    seen = (
        "cannot tell" if value is None else f"tell them from the labelled ones with an AUC of {_figure(value, error)}"
    )
    why = (
        f"{few}, and the inputs {seen}, where {rule.max_selection_auc:.4f} is allowed: write "
        "label(..., otherwise=False) where silence is the negative, or a longer within; if such requests are not to be "
        "predicted either, raise Gate.max_unlabelled"
    )
    flipped = None if value is None else -value
    check = _test_at_least("labels", flipped, error, -rule.max_selection_auc, why, None)
    return GateCheck("labels", value, rule.max_selection_auc, check.outcome, check.why)


def _test_at_least(
    name: str, value: float | None, error: float | None, limit: float, why: str, rows: int | None
) -> GateCheck:
    """One-sided test at ``CONFIDENCE``, normal approximation."""
    if value is None or error is None:
        return GateCheck(name, value, limit, "cannot_tell", f"{why}{_rows_sentence(None)}")
    side = side_of(value, error, limit)
    if side != "unclear":
        return GateCheck(name, value, limit, "accepted" if side == "above" else "refused", why)
    needed = None if rows is None else _rows_needed(value, error, limit, rows)
    return GateCheck(name, value, limit, "cannot_tell", f"{why}{_rows_sentence(needed)}", needed)


def _rows_needed(value: float, error: float, limit: float, rows: int) -> int | None:
    """How many rows make the distance from the limit significant: the standard error falls with their square root."""
    distance = abs(value - limit)
    times = (Z_CONFIDENCE * error / distance) ** 2 if distance else math.inf
    return math.ceil(rows * times) if times <= _MAX_TIMES else None


def _rows_sentence(needed: int | None) -> str:
    if needed is None:
        return "; the validation rows cannot tell"
    return f"; about {needed:,} validation rows would tell (a longer Retrain.validation)"


def _figure(value: float | None, error: float | None, sign: str = "") -> str:
    if value is None or error is None:
        return "unknown"
    return f"{value:{sign}.4f} (standard error {error:.4f})"
