"""Findings of a day from its breached checks: each check's name says what kind of finding it is."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Final

from smallbox.monitoring.change_findings import CHANGE
from smallbox.monitoring.findings import Finding, FindingKind, Remedy
from smallbox.monitoring.report import Check
from smallbox.records import CHANNELS

_FINDINGS: Final[Mapping[str, tuple[FindingKind, Remedy]]] = {
    "quarantined": ("records_rejected", "mend the source"),
    "freshness_hours": ("source_stale", "mend the source"),
    "skew": ("feature_skew", "mend the system"),
    "unapplied": ("feature_skew", "mend the system"),
    "sent": ("request_skew", "mend the caller"),
    "lead_hours": ("request_skew", "mend the caller"),
    "off_time": ("request_skew", "mend the caller"),
    "fallback": ("fallbacks", "mend the system"),
    "degraded": ("fallbacks", "mend the system"),
    "lost": ("lost_definition", "mend the system"),
    "coverage": ("label_coverage", "mend the source"),
    "loss": ("loss", "retrain"),
}
"""By the first part of a check's name; every other check of the accuracy is a guardrail."""

_OF_A_SOURCE: Final = frozenset({"records_rejected", "source_stale", "source_silent", "source_flooded"})


def findings_of(checks: Sequence[Check], day: str) -> list[Finding]:
    """A finding for each breached check; each is an incident.

    Args:
        checks: the checks of one model and day.
        day: the event day, ``YYYY-MM-DD``; the evidence names it.
    """
    return [_finding(check, day) for check in checks if check.breached]


def _finding(check: Check, day: str) -> Finding:
    name, _, subject = _plain(check.name).partition(":")
    kind, remedy = _kind(check, name)
    return Finding(
        kind,
        subject or name,
        "incident",
        check.sentence,
        remedy,
        cause=_cause(kind, subject),
        evidence={"day": day, **asdict(check)},
    )


def _kind(check: Check, name: str) -> tuple[FindingKind, Remedy]:
    if name == "volume":
        is_low = (check.value or 0.0) < check.limit
        return ("source_silent" if is_low else "source_flooded"), "mend the source"
    return _FINDINGS.get(name, ("guardrail", "retrain"))


def _cause(kind: FindingKind, subject: str) -> str:
    """A source's faults have one cause; so have the loss and the guardrails, which a changed input moves."""
    if kind in _OF_A_SOURCE:
        return subject
    return CHANGE if kind in {"loss", "guardrail"} else ""


def _plain(name: str) -> str:
    """The name of a check without the channel of its predictions."""
    channel, _, rest = name.partition(":")
    return rest if channel in CHANNELS and rest else name
