"""A slice whose accuracy fell, though the rest did not: a finding of its own, found by the detector of changes."""

from dataclasses import dataclass, replace
from typing import Final

from smallbox.arrays import Bools, Floats, np
from smallbox.define.rules import Monitor
from smallbox.monitoring.change_findings import CHANGE
from smallbox.monitoring.day_changes import DayChange, day_change, day_means
from smallbox.monitoring.findings import Finding, Severity
from smallbox.monitoring.label_numbers import LOSS
from smallbox.monitoring.observed_rows import ObservedRows
from smallbox.objectives.objective import Objective, Scored
from smallbox.profiles.column_pairs import stream_columns
from smallbox.statistics.change_detector import DayVerdict
from smallbox.statistics.change_evidence import MovedStream
from smallbox.times import DAY, day_of

_ERROR: Final = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class SliceEffects:
    """The labelled rows before and since a change, which tell what a slice costs.

    Attributes:
        objective: that of the label.
        before: the rows before.
        recent: the rows since.
    """

    objective: Objective
    before: ObservedRows
    recent: ObservedRows

    def of(self, slice_name: str) -> tuple[DayChange, float] | None:
        """How the slice's own mean loss changed, and its share of the recent rows; ``None`` where rows do not tell."""
        old, new = (_in_slice(rows, slice_name) for rows in (self.before, self.recent))
        if self.objective.group or old is None or new is None or not new.any():
            return None
        change = day_change(self._by_day(self.before, old), self._by_day(self.recent, new), _ERROR)
        return change, float(new.mean())

    def _by_day(self, rows: ObservedRows, mask: Bools) -> Floats:
        own = rows.take(mask).labelled
        losses = self.objective.losses(Scored(own.outputs, own.labels, np.zeros(len(own), np.int64)))
        return day_means(losses.values, own.days)

    @property
    def loss(self) -> float:
        """The mean loss before."""
        return float(self._by_day(self.before, np.ones(len(self.before), bool)).mean())


def is_slice(stream: str) -> bool:
    """Whether a stream is the loss of a slice.

    >>> is_slice("loss:carrier=UA"), is_slice("loss:mean")
    (True, False)
    """
    return stream_columns(stream) == (LOSS,) and "=" in stream


def without_slices(verdict: DayVerdict) -> DayVerdict:
    """The verdict without the slices that it names."""
    return replace(verdict, moved=tuple(one for one in verdict.moved if not is_slice(one.name)))


def slice_findings(rule: Monitor, verdict: DayVerdict, effects: SliceEffects | None) -> list[Finding]:
    """A finding for each slice that an alarm names as worse against the rest; a slice that is better is none.

    It is an incident where the slice's own loss rose too, and surely adds ``rule.hurts`` to the mean loss of all rows:
    a slice also stands out when the others have improved.

    Args:
        rule: the model's.
        verdict: that of the day.
        effects: what tells the cost; ``None``: each is a notice.
    """
    worse = [one for one in verdict.moved if is_slice(one.name) and one.raw > 0]
    return [_finding(rule, one, effects) for one in worse]


def _finding(rule: Monitor, moved: MovedStream, effects: SliceEffects | None) -> Finding:
    name = moved.name.partition(":")[2]
    found = effects.of(name) if effects else None
    told = f"{name} loses {moved.raw:.4g} more than before against all other rows, since {day_of(moved.since * DAY)}"
    evidence = {"moved": moved.raw, "days": moved.daily, "since": moved.since}
    if effects is None or found is None:
        return Finding("slice_loss", name, "notice", told, "retrain", cause=CHANGE, evidence=evidence)
    change, share = found
    bounds = f"{change.before:.4g} to {change.after:.4g}, a rise of {change.change.low:.4g} at least"
    severity: Severity = "incident" if share * change.change.low > rule.hurts * effects.loss else "notice"
    return Finding(
        "slice_loss",
        name,
        severity,
        f"{told}; its own mean loss went from {bounds}, on {share:.1%} of the rows",
        "retrain",
        effect=share * change.change.value,
        cause=CHANGE,
        evidence={**evidence, "own": change.change.as_json(), "share": share},
    )


def _in_slice(rows: ObservedRows, slice_name: str) -> Bools | None:
    name, _, text = slice_name.partition("=")
    return np.asarray(rows.inputs[name] == text, bool) if name in rows.inputs else None
