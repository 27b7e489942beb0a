"""The gate: what a candidate must show before it may serve anyone."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from smallbox.define.rules import Gate


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: what.
        value: what was seen.
        limit: what is asked for.
        passed: whether it is enough.
        why: one sentence.
    """

    name: str
    value: float
    limit: float
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
    def why(self) -> str:
        """The sentences of what failed, or of everything when nothing did."""
        failed = [check.why for check in self.checks if not check.passed]
        return "; ".join(failed or [check.why for check in self.checks])

    def as_json(self) -> dict[str, Any]:
        """The verdict as a document."""
        return {"accepted": self.accepted, "why": self.why, "checks": [asdict(check) for check in self.checks]}


def _at_least(name: str, value: float, limit: float, what: str) -> Check:
    return Check(name, value, limit, value >= limit, f"{what} is {value:.4f}, at least {limit:.4f} is asked for")


def _at_most(name: str, value: float, limit: float, what: str) -> Check:
    return Check(name, value, limit, value <= limit, f"{what} is {value:.4f}, at most {limit:.4f} is allowed")


def judge(
    rule: Gate, metrics: Mapping[str, Any], parity: Mapping[str, Any], champion: Mapping[str, Any] | None
) -> Verdict:
    """Hold a candidate against the rule, and against the champion on the same rows where there is one.

    Args:
        rule: the model's gate.
        metrics: the candidate's ``auc`` and ``calibration_error`` on the validation rows. A metric that is not a
            number fails its check.
        parity: the greatest difference between ONNX and scikit-learn, ``largest``, and what is tolerated, ``limit``.
        champion: the champion's ``auc`` on the same rows.

    >>> judge(Gate(min_auc=0.7), {"auc": 0.6, "calibration_error": 0.01}, {"largest": 0, "limit": 1e-4}, None).why
    'AUC is 0.6000, at least 0.7000 is asked for'
    """
    checks = [
        _at_least("auc", metrics["auc"], rule.min_auc, "AUC"),
        _at_most("calibration", metrics["calibration_error"], rule.max_calibration_error, "calibration error"),
        _at_most("parity", parity["largest"], parity["limit"], "the difference of ONNX from scikit-learn"),
    ]
    if champion is not None:
        least = champion["auc"] - rule.max_auc_loss
        checks.append(_at_least("champion", metrics["auc"], least, "AUC beside the champion's"))
    return Verdict(tuple(checks))
