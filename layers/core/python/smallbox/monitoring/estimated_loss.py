"""The loss of a day before its labels arrive, estimated from calibrated scores; refused where it would be a guess.

Two methods. CBPE calibrates the scores on the labelled reference. PAPE also weights the reference, so that its inputs
look like the day's (Białek, Kivimäki, Kuberski, Perrakis, arXiv 2401.08348, 2024).
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

from smallbox.arrays import Floats, Ints, np
from smallbox.monitoring.density_ratio import DensityRatio, density_ratio, varied_within_days
from smallbox.monitoring.observed_rows import ObservedRows, input_matrix
from smallbox.objectives.objective import Objective, Scored
from smallbox.statistics.calibrated_estimate import expected_auc, expected_confusion, expected_loss
from smallbox.statistics.calibration import calibration
from smallbox.statistics.intervals import student_quantile
from smallbox.statistics.recalibration import Recalibration, recalibrated

BLIND: Final = (
    "It supposes that inputs mean for the label what they meant in the reference: concept drift is invisible."
)

MIN_DAYS: Final = 14
MIN_REFERENCE_ROWS: Final = 500
MIN_DAY_ROWS: Final = 50
MAX_OUTSIDE: Final = 0.05
MAX_CALIBRATION_ERROR: Final = 0.03
MIN_EFFECTIVE_ROWS: Final = 100
MIN_EFFECTIVE_SHARE: Final = 0.1
MIN_COVERED: Final = 0.5

EstimateMethod = Literal["cbpe", "pape"]


@dataclass(frozen=True, slots=True)
class LossEstimate:
    """The estimated mean loss of one day.

    Attributes:
        method: ``cbpe`` or ``pape``.
        loss: the expected mean loss; ``None`` when it was refused.
        low: the realised mean loss lies above this with 95 % confidence.
        high: the realised mean loss lies below this with 95 % confidence.
        unchanged: the mean loss of the reference, which is the estimate of those who suppose no change.
        rows: the day's rows.
        refused: why there is no estimate; empty when there is one.
        assumption: what the estimate cannot see.
        shown: for two classes further figures, expected and only shown: ``accuracy`` (at one half), ``auc``.
        parts: the variance by where it comes from: ``labels`` (chance of the day's labels), ``calibration`` (the days
            of the reference), ``days`` (how much more than chance days differ from their estimate).
    """

    method: EstimateMethod
    loss: float | None
    low: float | None
    high: float | None
    unchanged: float | None
    rows: int
    refused: str = ""
    assumption: str = BLIND
    shown: dict[str, float] = field(default_factory=dict)
    parts: dict[str, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The estimate as a document."""
        return asdict(self)


@dataclass(frozen=True, slots=True, eq=False)
class LossReference:
    """A labelled reference, ready to estimate days with.

    Attributes:
        objective: that of the label.
        rows: the reference's labelled rows.
        calibrated: the calibration on all of them.
        day_variance: by how much more than chance the realised loss of a day varies around its estimate.
        loss: the mean loss of the reference.
        refused: why nothing can be estimated with it; empty when something can.
    """

    objective: Objective
    rows: ObservedRows
    calibrated: Recalibration | None
    day_variance: float
    loss: float
    refused: str


def loss_reference(objective: Objective, rows: ObservedRows) -> LossReference:
    """Prepare a reference; rows without a label are left out.

    The reference says why it refuses instead of raising: a label that is no class, too few days or rows, scores whose
    calibration fails on days that were left out.
    """
    rows = rows.labelled
    refused = _unfit(objective, rows)
    if refused:
        return LossReference(objective, rows, None, math.nan, _usual_loss(objective, rows), refused)
    classes = rows.labels.astype(np.int64)
    found = recalibrated(probabilities_of(rows.outputs), classes, rows.days)
    held_out = _held_out(found, rows)
    by_class = losses_by_class(objective, rows.outputs)
    losses = by_class[np.arange(len(rows)), classes]
    likeliest = held_out.argmax(axis=1)
    error = calibration(held_out.max(axis=1), likeliest == classes).interval.low
    if error > MAX_CALIBRATION_ERROR:
        refused = f"calibration is off on the reference: its error is at least {error:.3f}"
    variance = _day_variance(held_out, by_class, losses, rows.days)
    return LossReference(objective, rows, found, variance, float(losses.mean()), refused)


def _usual_loss(objective: Objective, rows: ObservedRows) -> float:
    """The mean loss of labelled rows; NaN without any, and for groups, which rows do not name."""
    if not len(rows) or objective.group:
        return math.nan
    scored = Scored(rows.outputs, rows.labels, np.zeros(len(rows), np.int64))
    return float(objective.losses(scored).values.mean())


def estimated_loss(reference: LossReference, new: ObservedRows, method: EstimateMethod = "cbpe") -> LossEstimate:
    """The mean loss of one day's rows, labelled or not, before the labels are looked at.

    Args:
        reference: of :func:`loss_reference`; no row of the day is in it.
        new: the rows of the day.
        method: ``cbpe`` needs the outputs only. ``pape`` needs the inputs; those that are alike within a day, like
            weather, are left to the score, as by ``cbpe``: no row of another day has them.
    """
    refused = reference.refused or _unlike(reference, new)
    if refused or reference.calibrated is None:
        return _refusal(method, reference, new, refused)
    found = reference.calibrated
    if method == "pape":
        varied = varied_within_days(reference.rows.inputs, reference.rows.days)
        names = [name for name in varied if name in new.inputs]
        ratio = density_ratio(*input_matrix(names, reference.rows, new))
        refused = _unlike_inputs(ratio, len(reference.rows))
        if refused:
            return _refusal(method, reference, new, refused)
        classes, scores = reference.rows.labels.astype(np.int64), probabilities_of(reference.rows.outputs)
        found = recalibrated(scores, classes, reference.rows.days, ratio.weights)
    return _estimate(method, reference, found, new)


def expected_row_losses(reference: LossReference, rows: ObservedRows) -> Floats:
    """The expected loss of each row by the reference's calibration, ``(n,)``; NaN when the reference refuses."""
    if reference.calibrated is None:
        return np.full(len(rows), np.nan)
    calibrated = reference.calibrated.applied(probabilities_of(rows.outputs))
    return np.asarray((calibrated * losses_by_class(reference.objective, rows.outputs)).sum(axis=1))


def probabilities_of(outputs: Floats) -> Floats:
    """The probability of every class ``(n, k)``: the one output of a boolean label has two."""
    return np.column_stack([1 - outputs[:, 0], outputs[:, 0]]) if outputs.shape[1] == 1 else outputs


def losses_by_class(objective: Objective, outputs: Floats) -> Floats:
    """The declared loss of each row for each class that may happen, ``(n, k)``."""
    nobody: Ints = np.zeros(len(outputs), np.int64)
    happened = [np.full(len(outputs), float(k)) for k in range(probabilities_of(outputs).shape[1])]
    return np.column_stack([objective.losses(Scored(outputs, labels, nobody)).values for labels in happened])


def _unfit(objective: Objective, rows: ObservedRows) -> str:
    """Why a reference cannot be used, before it is calibrated."""
    if objective.estimator != "classifier":
        return f"a {objective.kind} label has no calibrated probabilities; its loss is known when labels arrive"
    days = len(np.unique(rows.days))
    if days < MIN_DAYS:
        return f"the reference has {days} days with labels; it takes {MIN_DAYS}"
    if len(rows) < MIN_REFERENCE_ROWS:
        return f"the reference has {len(rows)} labelled rows; it takes {MIN_REFERENCE_ROWS}"
    if (rows.labels < 0).any() or len(np.unique(rows.labels)) < probabilities_of(rows.outputs).shape[1]:
        return "the reference lacks a class, or has a label that is no class"
    return ""


def _unlike(reference: LossReference, new: ObservedRows) -> str:
    """Why a day cannot be estimated."""
    if len(new) < MIN_DAY_ROWS:
        return f"the day has {len(new)} rows; it takes {MIN_DAY_ROWS}"
    outside = reference.calibrated.outside(probabilities_of(new.outputs)) if reference.calibrated else 0.0
    if outside > MAX_OUTSIDE:
        return f"{outside:.0%} of the scores lie outside the region that the reference has seen"
    return ""


def _unlike_inputs(ratio: DensityRatio, rows: int) -> str:
    """Why the reference cannot be weighted to look like the day."""
    least = max(MIN_EFFECTIVE_ROWS, MIN_EFFECTIVE_SHARE * rows)
    if ratio.effective < least:
        return f"too few rows of the reference look like the day: {ratio.effective:.0f} of at least {least:.0f}"
    if ratio.covered < MIN_COVERED:
        return f"much of the day looks like nothing in the reference: only {ratio.covered:.0%} does"
    return ""


def _refusal(method: EstimateMethod, reference: LossReference, new: ObservedRows, refused: str) -> LossEstimate:
    unchanged = None if math.isnan(reference.loss) else reference.loss
    return LossEstimate(method, None, None, None, unchanged, len(new), refused)


def _held_out(found: Recalibration, rows: ObservedRows) -> Floats:
    """Calibrated probabilities of each row by a calibration that has not seen its day."""
    scores, codes = probabilities_of(rows.outputs), np.unique(rows.days, return_inverse=True)[1]
    calibrated = np.empty(scores.shape)
    for day, one in enumerate(found.without_each_day()):
        calibrated[codes == day] = one.applied(scores[codes == day])
    return calibrated


def _day_variance(calibrated: Floats, by_class: Floats, losses: Floats, days: Ints) -> float:
    """The mean squared error of the days' estimates, less what chance of their labels explains; never negative."""
    excess = []
    for day in np.unique(days):
        rows = days == day
        expected = expected_loss(calibrated[rows], by_class[rows])
        excess.append((float(losses[rows].mean()) - expected.value) ** 2 - expected.variance)
    return max(float(np.mean(excess)), 0.0)


def _jackknife(values: Sequence[float]) -> float:
    """The variance over days: the limit of a bootstrap over days (Efron, SIAM, 1982)."""
    return (len(values) - 1) * float(np.var(values))


def _estimate(
    method: EstimateMethod, reference: LossReference, found: Recalibration, new: ObservedRows
) -> LossEstimate:
    scores, by_class = probabilities_of(new.outputs), losses_by_class(reference.objective, new.outputs)
    calibrated = found.applied(scores)
    expected = expected_loss(calibrated, by_class)
    without = [expected_loss(one.applied(scores), by_class).value for one in found.without_each_day()]
    parts = {"labels": expected.variance, "calibration": _jackknife(without), "days": reference.day_variance}
    width = student_quantile(len(without) - 1) * math.sqrt(sum(parts.values()))
    low, high = expected.value - width, expected.value + width
    shown = _shown(calibrated, scores)
    return LossEstimate(method, expected.value, low, high, reference.loss, len(new), shown=shown, parts=parts)


def _shown(calibrated: Floats, scores: Floats) -> dict[str, float]:
    if scores.shape[1] != 2:  # noqa: PLR2004 - a confusion matrix of two classes
        return {}
    matrix = expected_confusion(calibrated[:, 1], scores[:, 1] > 0.5)  # noqa: PLR2004 - more likely than not
    return {"accuracy": matrix.accuracy.value, "auc": expected_auc(scores[:, 1], calibrated[:, 1])}
