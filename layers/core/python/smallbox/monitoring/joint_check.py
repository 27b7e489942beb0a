"""The weekly check of all inputs together: whether the last week differs from the six before it, and what tells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from smallbox.monitoring.change_findings import CHANGE
from smallbox.monitoring.day_changes import day_change, day_means
from smallbox.monitoring.estimated_loss import LossReference, expected_row_losses
from smallbox.monitoring.findings import Finding, Severity
from smallbox.monitoring.joint_features import joint_features
from smallbox.monitoring.observed_rows import ObservedRows
from smallbox.statistics.estimates import none_if_nan
from smallbox.statistics.intervals import NOTHING, Interval
from smallbox.statistics.joint_shift import JointShift, joint_shift
from smallbox.times import DAY, Micros, day_of

WEEK_DAYS: Final = 7
_SUNDAY: Final = 3
"""1970-01-01 was a Thursday."""

_ERROR: Final = 0.01
_TOLD: Final = 5


@dataclass(frozen=True, slots=True)
class JointCheck:
    """What the check of a week found.

    Attributes:
        findings: none when no input differs.
        document: the figures, JSON-ready; empty on a day without the check.
    """

    findings: Sequence[Finding] = ()
    document: Mapping[str, Any] = field(default_factory=dict)


def ends_a_week(as_of: Micros) -> bool:
    """Whether the day before a moment is a Sunday, by event date: the check then has whole weeks.

    >>> from smallbox.times import parse_moment
    >>> ends_a_week(parse_moment("2013-03-04T00:00:00Z")), ends_a_week(parse_moment("2013-03-05T00:00:00Z"))
    (True, False)
    """
    return (as_of - DAY) // DAY % WEEK_DAYS == _SUNDAY


def joint_check(reference: LossReference, rows: ObservedRows, since: int, hurts: float) -> JointCheck:
    """Compare the inputs of the days since one with those of the days before.

    Args:
        reference: of the days before; it tells what the scores of the week lead to expect of the loss.
        rows: of all days, with the inputs that may be told.
        since: the first day of the week, counted from 1970.
        hurts: the share of the mean loss from which on an expected rise is an incident.
    """
    found = joint_shift(*joint_features(rows, rows.days < since), rows.days, since)
    if found is None:
        return JointCheck()
    document = {"since": day_of(since * DAY), **found.as_json(), "carriers": found.as_json()["carriers"][:_TOLD]}
    if not found.is_certain:
        return JointCheck((), document)
    return JointCheck([_finding(found, _expected_rise(reference, rows, since), reference, hurts, document)], document)


def _expected_rise(reference: LossReference, rows: ObservedRows, since: int) -> Interval:
    """By how much the scores of the week lead to expect a higher mean loss; nothing where the reference refuses."""
    if reference.refused:
        return NOTHING
    recent = rows.take(rows.days >= since)
    before, after = (day_means(expected_row_losses(reference, one), one.days) for one in (reference.rows, recent))
    return day_change(before, after, _ERROR).change


def _finding(
    found: JointShift, rise: Interval, reference: LossReference, hurts: float, document: Mapping[str, Any]
) -> Finding:
    severity: Severity = "incident" if rise.low > hurts * reference.loss else "notice"
    names = ", ".join(f"{name} ({share:.0%})" for name, share in found.carriers[:_TOLD])
    told = f"the inputs since {document['since']} differ from the weeks before, AUC {found.auc:.3f}, more than "
    told += f"{found.runs - 1} other runs of days do: {names}"
    effect = none_if_nan(rise.value)
    if effect is not None:
        told += f"; the expected loss changes by {rise.value:+.4f} ({rise.low:+.4f} at least)"
    return Finding(
        "joint_shift", found.carriers[0][0], severity, told, "nothing", effect, cause=CHANGE, evidence=dict(document)
    )
