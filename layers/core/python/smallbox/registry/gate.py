"""The gate: what a candidate must show before it may serve anyone.

A figure of some rows is held against its limit with its standard error: the check accepts when the figure is surely
good enough, refuses when it surely is not, and cannot tell in between. "Surely" is 95 %, one-sided. A candidate passes
when all checks accept (an intersection-union test: Berger, Technometrics 24, 1982), so one that breaks any single limit
is accepted with a chance of 5 % at most. See decision 0022.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import Any, Final, Literal

from smallbox.define.rules import Gate
from smallbox.statistics.confidence import Z_CONFIDENCE, side_of

GateOutcome = Literal["accepted", "refused", "cannot_tell"]

_NORMAL: Final = NormalDist()
_MOST_TIMES: Final = 100
"""A figure that takes this many times the rows lies on its limit."""


@dataclass(frozen=True, slots=True)
class GateCheck:
    """One thing that was looked at.

    Attributes:
        name: what.
        value: what was seen; ``None`` when the rows could not tell.
        limit: what is asked for.
        outcome: whether it is enough.
        why: one sentence.
        rows_needed: where it cannot be told: about how many validation rows would settle it, if the figures stay what
            they are; ``None`` where no number would.
    """

    name: str
    value: float | None
    limit: float
    outcome: GateOutcome
    why: str
    rows_needed: int | None = None

    @property
    def passed(self) -> bool:
        """Whether it is surely enough."""
        return self.outcome == "accepted"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the checks say together; they are the reasons.

    Attributes:
        checks: all that was looked at.
        warnings: sentences about what nothing forbids, and somebody should look at.
    """

    checks: tuple[GateCheck, ...]
    warnings: tuple[str, ...] = ()

    @property
    def outcome(self) -> GateOutcome:
        """Refused when a check refuses; else accepted when all accept; else nobody can tell."""
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
        """About how many validation rows would settle what cannot be told; ``None`` where that is not known."""
        needed = [check.rows_needed for check in self.checks if check.outcome == "cannot_tell"]
        known = [rows for rows in needed if rows is not None]
        return max(known) if known and len(known) == len(needed) else None

    @property
    def why(self) -> str:
        """The sentences of what did not pass, or of everything when it did; then the warnings."""
        stopped = [check.why for check in self.checks if check.outcome == self.outcome]
        return "; ".join([*stopped, *self.warnings])

    def as_json(self) -> dict[str, Any]:
        """The verdict as a document."""
        return {
            "outcome": self.outcome,
            "accepted": self.accepted,
            "why": self.why,
            "rows_needed": self.rows_needed,
            "checks": [asdict(check) for check in self.checks],
            "warnings": list(self.warnings),
        }


def judge(
    rule: Gate,
    metrics: Mapping[str, Any],
    parity: Mapping[str, Any],
    champion: Mapping[str, Any] | None,
    labels: Mapping[str, Any],
    warnings: Sequence[str] = (),
) -> Verdict:
    """Hold a candidate against the rule, and against the champion on the same rows where there is one.

    Args:
        rule: the model's gate.
        metrics: the candidate's figures on the validation rows, as :func:`smallbox.objectives.binary.measure` gives
            them.
        parity: the greatest difference between ONNX and scikit-learn, ``largest``, and what is tolerated, ``limit``.
        champion: ``auc_gain`` and ``auc_gain_standard_error``: the gain on the same rows, and how sure it is.
        labels: ``unlabelled_share``, and how well the inputs tell unlabelled requests from labelled ones:
            ``selection_auc`` and ``selection_auc_standard_error``.
        warnings: what the training noticed, to stand in the verdict.
    """
    checks = [*_size(rule, metrics), _same_answers(parity), _selection(rule, labels)]
    if all(check.passed for check in checks[:2]):
        checks += [_auc(rule, metrics), _calibration(rule, metrics)]
        checks += [] if champion is None else [_gain(rule, metrics, champion)]
    return Verdict(tuple(checks), tuple(warnings))


def _size(rule: Gate, metrics: Mapping[str, Any]) -> list[GateCheck]:
    """Whether there are rows enough for a standard error to mean anything."""
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
    return GateCheck(name, value, limit, "cannot_tell", f"{why}{_takes(needed)}", needed)


def _same_answers(parity: Mapping[str, Any]) -> GateCheck:
    largest, limit = parity["largest"], parity["limit"]
    why = f"the difference of ONNX from scikit-learn is {largest:.4f}, at most {limit:.4f} is allowed"
    return GateCheck("parity", largest, limit, "accepted" if largest <= limit else "refused", why)


def _auc(rule: Gate, metrics: Mapping[str, Any]) -> GateCheck:
    value, limit = metrics["auc"], rule.min_auc
    error = _error_at(limit, metrics["rarer_rows"], metrics["rows"] - metrics["rarer_rows"])
    why = f"AUC is {_figure(value, error)}, at least {limit:.4f} is asked for"
    return _surely_at_least("auc", value, error, limit, why, metrics["rows"])


def _error_at(true: float, rows: int, others: int) -> float:
    """The standard error of an AUC whose truth is at the limit, with so many rows of each class.

    The estimate's own (DeLong) is too small where few rows happen to be ranked well, and lets through up to four times
    the stated share. Hanley and McNeil (Radiology 143, 1982), in the symmetric form of Newcombe (Statistics in Medicine
    25, 2006, 559-573), whose method 5 too takes the error at the limit.
    """
    mean = (rows + others) / 2 - 1
    spread = 1 + mean * ((1 - true) / (2 - true) + true / (1 + true))
    return math.sqrt(true * (1 - true) * spread / (rows * others))


def _gain(rule: Gate, metrics: Mapping[str, Any], champion: Mapping[str, Any]) -> GateCheck:
    value, error = champion["auc_gain"], champion["auc_gain_standard_error"]
    gain = _figure(value, error, "+")
    why = f"AUC beside the champion's is {gain}, a loss of at most {rule.max_auc_loss:.4f} is allowed"
    return _surely_at_least("champion", value, error, -rule.max_auc_loss, why, metrics["rows"])


def _calibration(rule: Gate, metrics: Mapping[str, Any]) -> GateCheck:
    """The error is never 0 on finite rows, so that it is held against what it would be if the truth were at the limit.

    Spread over the bins a true error shows the least; that bounds acceptance. It never shows more than itself and what
    chance adds; that bounds refusal.
    """
    value, error = metrics["calibration_error"], metrics["calibration_standard_error"]
    by_chance, limit = metrics["calibration_error_by_chance"], rule.max_calibration_error
    why = (
        f"calibration error is {value:.4f} (perfect scores would show {by_chance:.4f} on so few rows), at most "
        f"{limit:.4f} is allowed"
    )
    if value <= _if_spread(limit, by_chance) - Z_CONFIDENCE * error:
        return GateCheck("calibration", value, limit, "accepted", why)
    if value > limit + by_chance + Z_CONFIDENCE * error:
        return GateCheck("calibration", value, limit, "refused", why)
    needed = _rows_needed(max(value - by_chance, 0), error, limit, metrics["rows"])
    return GateCheck("calibration", value, limit, "cannot_tell", f"{why}{_takes(needed)}", needed)


def _if_spread(true: float, by_chance: float) -> float:
    """What the calibration error is on average when the true one is spread evenly over the bins.

    Each bin's gap is then a folded normal (Leone, Nelson, Nottingham, Technometrics 3, 1961), whose standard deviation
    follows from what chance alone gives.
    """
    if not by_chance:  # scores of 0 and 1 alone leave nothing to chance
        return true
    together = by_chance * math.sqrt(math.pi / 2)
    shift = true / together
    folded = math.sqrt(2 / math.pi) * math.exp(-(shift**2) / 2) + shift * (2 * _NORMAL.cdf(shift) - 1)
    return together * folded


def _selection(rule: Gate, labels: Mapping[str, Any]) -> GateCheck:
    """Unlabelled requests may be few, or like the others; else the model learns from rows it is not asked about."""
    share = labels["unlabelled_share"]
    few = f"{share:.1%} of the requests have no label, up to {rule.max_unlabelled:.1%} may"
    if share <= rule.max_unlabelled:
        return GateCheck("labels", share, rule.max_unlabelled, "accepted", few)
    value, error = labels["selection_auc"], labels["selection_auc_standard_error"]
    told = (
        "cannot tell" if value is None else f"tell them from the labelled ones with an AUC of {_figure(value, error)}"
    )
    why = (
        f"{few}, and the inputs {told}, where {rule.max_selection_auc:.4f} is allowed: write "
        "label(..., otherwise=False) where silence is the negative, or a longer within; if such requests are not to be "
        "predicted either, raise Gate.max_unlabelled"
    )
    flipped = None if value is None else -value
    check = _surely_at_least("labels", flipped, error, -rule.max_selection_auc, why, None)
    return GateCheck("labels", value, rule.max_selection_auc, check.outcome, check.why)


def _surely_at_least(
    name: str, value: float | None, error: float | None, limit: float, why: str, rows: int | None
) -> GateCheck:
    """Accepted or refused at one-sided 95 %, with the normal approximation."""
    if value is None or error is None:
        return GateCheck(name, value, limit, "cannot_tell", f"{why}{_takes(None)}")
    side = side_of(value, error, limit)
    if side != "unclear":
        return GateCheck(name, value, limit, "accepted" if side == "above" else "refused", why)
    needed = None if rows is None else _rows_needed(value, error, limit, rows)
    return GateCheck(name, value, limit, "cannot_tell", f"{why}{_takes(needed)}", needed)


def _rows_needed(value: float, error: float, limit: float, rows: int) -> int | None:
    """How many rows bring the standard error down to where the distance from the limit is sure."""
    distance = abs(value - limit)
    times = (Z_CONFIDENCE * error / distance) ** 2 if distance else math.inf
    return math.ceil(rows * times) if times <= _MOST_TIMES else None


def _takes(needed: int | None) -> str:
    if needed is None:
        return "; the validation rows cannot tell"
    return f"; about {needed:,} validation rows would tell (a longer Retrain.validation)"


def _figure(value: float | None, error: float | None, sign: str = "") -> str:
    if value is None or error is None:
        return "unknown"
    return f"{value:{sign}.4f} (standard error {error:.4f})"
