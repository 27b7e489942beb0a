"""What a lasting change means: a finding for each column that moved, and whether it rings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from smallbox.define.rules import Monitor
from smallbox.monitoring.findings import Finding, FindingKind, Remedy, Severity
from smallbox.monitoring.label_numbers import BIAS, LABEL, LOSS
from smallbox.profiles.column_pairs import stream_columns
from smallbox.statistics.change_detector import DayVerdict
from smallbox.statistics.change_evidence import MovedStream
from smallbox.times import DAY, day_of

CHANGE: Final = "change"
"""The cause of findings of a changed distribution: all that rang together are one incident."""

_OF_LABELS: Final[Mapping[str, FindingKind]] = {LABEL: "label_shift", LOSS: "loss", BIAS: "concept_shift"}
_REMEDIES: Final[Mapping[FindingKind, Remedy]] = {"missing_values": "mend the source", "loss": "retrain"}


def of_labels(stream: str) -> bool:
    """Whether a stream is of labels, the loss or the bias: of requests whose windows are over."""
    return stream_columns(stream)[0] in _OF_LABELS


def change_findings(
    rule: Monitor, verdict: DayVerdict, outputs: Sequence[str], loss: float | None, *, is_diagnosed: bool
) -> list[Finding]:
    """A finding for each column that an alarm names, the surest first; none without an alarm.

    Args:
        rule: ``hurts`` says from which effect on a change is an incident.
        verdict: that of the day.
        outputs: the names of the model's outputs.
        loss: the usual mean loss; ``None`` when it is not known. A rise of the realised loss is judged by it.
        is_diagnosed: whether the causes were looked for. Then these say what hurts, and the changes themselves are
            notices; else a change of the outputs or of missing values is an incident.
    """
    columns: dict[str, list[MovedStream]] = {}
    for one in verdict.moved:
        columns.setdefault(stream_columns(one.name)[0], []).append(one)
    return [_finding(name, moved, outputs, _Severe(rule.hurts, loss, is_diagnosed)) for name, moved in columns.items()]


@dataclass(frozen=True, slots=True)
class _Severe:
    hurts: float
    loss: float | None
    is_diagnosed: bool

    def effect(self, kind: FindingKind, moved: MovedStream) -> float | None:
        """The realised rise of the mean loss; known of the loss alone."""
        return moved.raw if kind == "loss" else None

    def severity(self, kind: FindingKind, effect: float | None) -> Severity:
        if effect is not None and self.loss:
            return "incident" if effect >= self.hurts * self.loss else "notice"
        hurts = not self.is_diagnosed and kind in {"prediction_shift", "missing_values"}
        return "incident" if hurts else "notice"


def _finding(name: str, moved: Sequence[MovedStream], outputs: Sequence[str], severe: _Severe) -> Finding:
    kind = _kind(name, moved, outputs)
    effect = severe.effect(kind, moved[0])
    return Finding(
        kind,
        name,
        severe.severity(kind, effect),
        f"{name} has changed: {'; '.join(_words(one) for one in moved)}",
        _REMEDIES.get(kind, "nothing"),
        effect=effect,
        cause=CHANGE,
        evidence={one.name: {"moved": one.raw, "days": one.daily, "since": one.since} for one in moved},
    )


def _kind(name: str, moved: Sequence[MovedStream], outputs: Sequence[str]) -> FindingKind:
    if name in outputs:
        return "prediction_shift"
    is_missing = moved[0].name == f"{name}:missing" and moved[0].daily > 0
    return _OF_LABELS.get(name, "missing_values" if is_missing else "covariate_shift")


def _words(one: MovedStream) -> str:
    what = one.name.partition(":")[2]
    size = f"{abs(one.daily):.1f} usual days {'up' if one.daily > 0 else 'down'}"
    return f"{what} {size} since {day_of(one.since * DAY)}"
