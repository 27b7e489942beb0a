"""What a lasting change means: a finding for each column that moved, and whether it rings."""

from collections.abc import Sequence
from typing import Final

from smallbox.define.rules import Monitor
from smallbox.monitoring.findings import Finding, FindingKind, Remedy, Severity
from smallbox.statistics.change_detector import DayVerdict
from smallbox.statistics.change_evidence import MovedStream
from smallbox.times import DAY, day_of

CHANGE: Final = "change"
"""The cause of findings of a changed distribution: all that rang together are one incident."""


def column_of(stream: str) -> str:
    """The column or source of a stream.

    >>> column_of("carrier:is UA")
    'carrier'
    """
    return stream.partition(":")[0]


def change_findings(rule: Monitor, verdict: DayVerdict, outputs: Sequence[str], effect: float | None) -> list[Finding]:
    """A finding for each column that an alarm names, the surest first; none without an alarm.

    Args:
        rule: ``hurts`` says from which effect on a change is an incident.
        verdict: that of the day.
        outputs: the names of the model's outputs.
        effect: the expected rise of the mean loss, as a share of it; ``None`` where it cannot be estimated. Without an
            estimate a change of the outputs or of missing values is an incident, another one a notice.
    """
    columns: dict[str, list[MovedStream]] = {}
    for one in verdict.moved:
        columns.setdefault(column_of(one.name), []).append(one)
    return [_finding(rule, name, moved, outputs, effect) for name, moved in columns.items()]


def _finding(
    rule: Monitor, name: str, moved: Sequence[MovedStream], outputs: Sequence[str], effect: float | None
) -> Finding:
    kind = _kind(name, moved, outputs)
    return Finding(
        kind,
        name,
        _severity(rule, kind, effect),
        f"{name} has changed: {'; '.join(_words(one) for one in moved)}{_effect(effect)}",
        _remedy(kind),
        effect=effect,
        cause=CHANGE,
        evidence={one.name: {"moved": one.raw, "days": one.daily, "since": one.since} for one in moved},
    )


def _kind(name: str, moved: Sequence[MovedStream], outputs: Sequence[str]) -> FindingKind:
    if name in outputs:
        return "prediction_shift"
    is_missing = moved[0].name == f"{name}:missing"
    return "missing_values" if is_missing and moved[0].daily > 0 else "covariate_shift"


def _severity(rule: Monitor, kind: FindingKind, effect: float | None) -> Severity:
    if effect is None:
        return "notice" if kind == "covariate_shift" else "incident"
    return "incident" if effect >= rule.hurts else "notice"


def _remedy(kind: FindingKind) -> Remedy:
    return "mend the source" if kind == "missing_values" else "nothing"


def _words(one: MovedStream) -> str:
    what = one.name.partition(":")[2]
    size = f"{abs(one.daily):.1f} usual days {'up' if one.daily > 0 else 'down'}"
    return f"{what} {size} since {day_of(one.since * DAY)}"


def _effect(effect: float | None) -> str:
    return "" if effect is None else f"; the mean loss is expected to change by {effect:+.1%}"
