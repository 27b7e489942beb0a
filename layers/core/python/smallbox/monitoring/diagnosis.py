"""Why a day differs and what it costs: causes with their effect on the loss, and the loss before labels arrive."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from smallbox.arrays import Array, Floats, np
from smallbox.define.model import Model
from smallbox.define.rules import Label
from smallbox.define.signature import Columns
from smallbox.labels.table import settled_days
from smallbox.monitoring.answered_rows import AnsweredRows
from smallbox.monitoring.change_findings import CHANGE, of_labels
from smallbox.monitoring.estimated_loss import estimated_loss, loss_reference
from smallbox.monitoring.findings import Finding
from smallbox.monitoring.joint_check import WEEK_DAYS, JointCheck, ends_a_week, joint_check
from smallbox.monitoring.observed_rows import ObservedRows
from smallbox.monitoring.shift_causes import shift_causes
from smallbox.monitoring.slice_findings import SliceEffects, slice_findings, without_slices
from smallbox.objectives.objective import Objective, Scored
from smallbox.objectives.permuted_importance import permuted_importance
from smallbox.ports import Blobs, Lake
from smallbox.profiles.column_pairs import stream_columns
from smallbox.registry.scorer import Scorer
from smallbox.registry.signatures import Signatures
from smallbox.registry.version import Version
from smallbox.statistics.change_detector import DayVerdict
from smallbox.times import DAY, Micros, day_of

REFERENCE_DAYS: Final = 42
IMPORTANCE_ROWS: Final = 2_000
_FAULTS: Final = frozenset({"data_fault", "missing_values"})


@dataclass(frozen=True, slots=True)
class Diagnosed:
    """What was found about a day.

    Attributes:
        findings: the causes of a change that rang, with their effect; of a day that only differs, faults of the data.
        estimate: the estimated loss of the day by CBPE, JSON-ready; empty without a reference or rows.
        realised: by day, as ``YYYY-MM-DD``, the mean loss of the labelled rows before it.
        weighted: the estimate by PAPE, JSON-ready; empty on a day whose inputs have not moved.
    """

    findings: Sequence[Finding]
    estimate: Mapping[str, Any]
    realised: Mapping[str, float] = field(default_factory=dict)
    weighted: Mapping[str, Any] = field(default_factory=dict)


class Diagnosis:
    """Compares the rows since a change with those of the six weeks before it."""

    def __init__(self, lake: Lake, signatures: Signatures, blobs: Blobs) -> None:
        self._rows = AnsweredRows(lake, signatures)
        self._blobs = blobs

    def of(self, model: Model, champion: Version, label: Label, as_of: Micros, verdict: DayVerdict) -> Diagnosed:
        """Diagnose the day before a moment.

        Args:
            model: its ``Monitor.hurts`` says which effect is an incident.
            champion: the version that answers.
            label: what it predicts.
            as_of: the end of the day.
            verdict: what the detector says of the day.
        """
        start = _start(verdict, label, as_of)
        before = self._rows.of(champion, label, start - REFERENCE_DAYS * DAY, start)
        recent = self._rows.of(champion, label, start, as_of)
        if before is None or recent is None:
            return Diagnosed((), {})
        reference = loss_reference(label.objective, before)
        realised = _realised(label.objective, reference.rows)
        today = recent.take(recent.days == int(recent.days.max()))
        estimate = estimated_loss(reference, today, "cbpe").as_json()
        has_moved = inputs_moved(verdict, champion.columns)
        weighted = estimated_loss(reference, today, "pape").as_json() if has_moved else {}
        if not verdict.is_alarm and not verdict.blips:
            return Diagnosed((), estimate, realised, weighted)
        importance = self._importance(champion, label.objective, reference.rows)
        hidden = self._rows.hidden(champion)
        shown = replace(reference, rows=reference.rows.without(hidden))
        causes = shift_causes(shown, recent.without(hidden), importance, model.monitor.hurts)
        found = [replace(one, cause=CHANGE) for one in causes]
        is_of_all = bool(without_slices(verdict).moved)
        kept = found if is_of_all else [one for one in found if one.kind in _FAULTS]
        effects = SliceEffects(label.objective, reference.rows, recent.labelled)
        return Diagnosed([*kept, *slice_findings(model.monitor, verdict, effects)], estimate, realised, weighted)

    def joint(self, model: Model, champion: Version, label: Label, as_of: Micros) -> JointCheck:
        """Once a week, when a Sunday has ended, whether the inputs of the week differ together."""
        start = as_of - WEEK_DAYS * DAY
        rows = self._rows.of(champion, label, start - REFERENCE_DAYS * DAY, as_of) if ends_a_week(as_of) else None
        if rows is None:
            return JointCheck()
        since = start // DAY
        rows = rows.take(~np.isin(rows.days, list(model.monitor.left_out_days)))
        reference = loss_reference(label.objective, rows.take(rows.days < since))
        shown = rows.without(self._rows.hidden(champion) | frozenset(model.monitor.expected_drift))
        return joint_check(reference, shown, since, model.monitor.hurts)

    def _importance(self, champion: Version, objective: Objective, rows: ObservedRows) -> dict[str, float]:
        """By column how much the mean loss rises when it is shuffled, from a sample of labelled rows."""
        labelled = rows.labelled
        if not len(labelled) or objective.group:
            return {}
        sample = labelled.take(np.arange(0, len(labelled), max(len(labelled) // IMPORTANCE_ROWS, 1)))
        scorer = Scorer(self._blobs.get(champion.onnx_key), champion.onnx_sha256)
        columns = _columns(champion, sample.inputs)
        scored = Scored(sample.outputs, sample.labels, np.zeros(len(sample), np.int64))
        random = np.random.default_rng(0)
        found = permuted_importance(
            objective, lambda inputs: _scores(scorer, columns, inputs), sample.inputs, scored, sample.days, random
        )
        return {name: max(one.value, 0.0) for name, one in found.items()}


def inputs_moved(verdict: DayVerdict, columns: Sequence[str]) -> bool:
    """Whether an input differs from what is usual: by an alarm, on this day alone, or since an alarm of late."""
    streams = [*(one.name for one in (*verdict.moved, *verdict.blips)), *verdict.relearning]
    return any(column in columns for name in streams for column in stream_columns(name))


def _realised(objective: Objective, rows: ObservedRows) -> dict[str, float]:
    """The mean loss of the labelled rows of each day; of none for groups, which rows do not name."""
    if objective.group:
        return {}
    losses = objective.losses(Scored(rows.outputs, rows.labels, np.zeros(len(rows), np.int64)))
    days = rows.days[losses.rows]
    return {day_of(int(day) * DAY): float(losses.values[days == day].mean()) for day in np.unique(days)}


def _start(verdict: DayVerdict, label: Label, as_of: Micros) -> Micros:
    """When the change began, by the surest stream: a weak one may have drifted for weeks.

    Labels are those of the newest requests that had settled by then. Of a day that only differs it is its midnight.
    """
    surest = verdict.moved[0] if verdict.is_alarm and verdict.moved else None
    if surest is None:
        return as_of - DAY
    since = min(as_of - DAY, surest.since * DAY)
    return settled_days(label, since + DAY).start if of_labels(surest.name) else since


def _columns(champion: Version, inputs: Mapping[str, Array]) -> Columns:
    numeric = tuple(name for name in champion.columns if inputs[name].dtype != object)
    return Columns(numeric, tuple(name for name in champion.columns if name not in numeric))


def _scores(scorer: Scorer, columns: Columns, inputs: Mapping[str, Array]) -> Floats:
    rows = len(next(iter(inputs.values())))
    numeric = np.column_stack([np.empty((rows, 0)), *(inputs[name] for name in columns.numeric)]).astype(np.float32)
    texts = [np.asarray(inputs[name], object)[:, None] for name in columns.categorical]
    categorical = np.concatenate([np.empty((rows, 0), object), *texts], axis=1)
    return scorer.score(numeric, categorical)
