"""The gate: what a candidate must show before it may serve anyone."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from smallbox.define.rules import Gate

Outcome = Literal["accepted", "refused", "cannot_tell"]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: what.
        value: what was seen; ``None`` when the rows could not tell.
        limit: what is asked for; ``None`` when the champion's rows could not tell.
        passed: whether it is enough.
        why: one sentence.
    """

    name: str
    value: float | None
    limit: float | None
    passed: bool
    why: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """Accepted when every check passed; the checks are the reasons either way."""

    checks: tuple[Check, ...]

    @property
    def accepted(self) -> bool:
        """Whether the candidate may be released."""
        return all(check.passed for check in self.checks)

    @property
    def outcome(self) -> Outcome:
        """What the gate decided."""
        return "accepted" if self.accepted else "refused"

    @property
    def why(self) -> str:
        """The sentences of what failed, or of everything when nothing did."""
        failed = [check.why for check in self.checks if not check.passed]
        return "; ".join(failed or [check.why for check in self.checks])

    def as_json(self) -> dict[str, Any]:
        """The verdict as a document."""
        return {
            "outcome": self.outcome,
            "accepted": self.accepted,
            "why": self.why,
            "checks": [asdict(check) for check in self.checks],
        }


def _at_least(name: str, value: float | None, limit: float | None, what: str) -> Check:
    if value is None or limit is None:
        return _untold(name, value, limit, what)
    return Check(name, value, limit, value >= limit, f"{what} is {value:.4f}, at least {limit:.4f} is asked for")


def _at_most(name: str, value: float | None, limit: float, what: str) -> Check:
    if value is None:
        return _untold(name, value, limit, what)
    return Check(name, value, limit, value <= limit, f"{what} is {value:.4f}, at most {limit:.4f} is allowed")


def _untold(name: str, value: float | None, limit: float | None, what: str) -> Check:
    return Check(name, value, limit, False, f"{what} cannot be told from the validation rows; they need both classes")


def _gain(champion: Mapping[str, Any]) -> str:
    gain, error = champion.get("auc_gain"), champion.get("auc_gain_standard_error")
    return "" if gain is None or error is None else f" (a gain of {gain:+.4f}, standard error {error:.4f})"


def judge(
    rule: Gate, metrics: Mapping[str, Any], parity: Mapping[str, Any], champion: Mapping[str, Any] | None
) -> Verdict:
    """Hold a candidate against the rule, and against the champion on the same rows where there is one.

    Args:
        rule: the model's gate.
        metrics: the candidate's ``auc`` and ``calibration_error`` on the validation rows. One that is ``None``
            fails its check.
        parity: the greatest difference between ONNX and scikit-learn, ``largest``, and what is tolerated, ``limit``.
        champion: the champion's ``auc`` on the same rows, and how sure the difference is: ``auc_gain`` and
            ``auc_gain_standard_error``. The gate asks for the figure itself; how sure it is stands in the reason.

    >>> judge(Gate(min_auc=0.7), {"auc": 0.6, "calibration_error": 0.01}, {"largest": 0, "limit": 1e-4}, None).why
    'AUC is 0.6000, at least 0.7000 is asked for'
    """
    checks = [
        _at_least("auc", metrics["auc"], rule.min_auc, "AUC"),
        _at_most("calibration", metrics["calibration_error"], rule.max_calibration_error, "calibration error"),
        _at_most("parity", parity["largest"], parity["limit"], "the difference of ONNX from scikit-learn"),
    ]
    if champion is not None:
        least = None if champion["auc"] is None else champion["auc"] - rule.max_auc_loss
        checks.append(_at_least("champion", metrics["auc"], least, f"AUC beside the champion's{_gain(champion)}"))
    return Verdict(tuple(checks))
