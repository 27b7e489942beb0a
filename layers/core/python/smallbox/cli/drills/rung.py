"""The findings of a day's report."""

from collections.abc import Mapping, Sequence
from typing import Any

from smallbox.cli.drills.site import Rung
from smallbox.monitoring.findings import FindingKind


def rung_of(report: Mapping[str, Any]) -> Sequence[Rung]:
    """What the check of a day found, from its report as it is stored."""
    found = report["findings"] if "findings" in report else map(_of_check, _breached(report))
    return [
        Rung(one["kind"], one["cause"] or one["kind"], one["subject"], one["severity"], one["sentence"])
        for one in found
    ]


def _breached(report: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return [check for check in report["checks"] if check["breached"]]


_KINDS: Mapping[str, FindingKind] = {
    "quarantined": "records_rejected",
    "freshness_hours": "source_stale",
    "volume": "source_silent",
    "skew": "feature_skew",
    "sent": "request_skew",
    "lead_hours": "request_skew",
    "off_time": "request_skew",
    "missing": "missing_values",
    "fallback": "fallbacks",
    "degraded": "fallbacks",
    "lost": "lost_definition",
    "coverage": "label_coverage",
    "loss": "loss",
}
_OF_A_SOURCE = ("quarantined", "freshness_hours", "volume")


def _of_check(check: Mapping[str, Any]) -> Mapping[str, Any]:
    """The finding of a breached check of a report without findings."""
    name, _, subject = check["name"].removeprefix("batch:").partition(":")
    drifted = "prediction_shift" if check["kind"] == "predictions" else "covariate_shift"
    return {
        "kind": drifted if check["is_drift"] else _KINDS.get(name, "guardrail"),
        "cause": subject if name in _OF_A_SOURCE else "",
        "subject": subject or name,
        "severity": "notice" if check["is_drift"] else "incident",
        "sentence": f"{check['name']} is {check['value']}, limit {check['limit']}; {check['note']}",
    }
