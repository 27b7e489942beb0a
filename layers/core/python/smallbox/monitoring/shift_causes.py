"""Why the loss moves, or may: inputs moved, the prior moved, the meaning of the inputs moved, or the data is at fault.

    faults of a column      its values are wrong            mend the source
    covariate shift         inputs moved, the loss given inputs did not
    label shift             the share of a class moved, inputs given the class did not
    concept shift           the loss given inputs moved     retrain

A change of the label given the inputs shows only on labelled rows: as a residual, actual less expected.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from smallbox.arrays import Array, Bools, Floats, Ints, np
from smallbox.monitoring.data_faults import Fault, faults_of
from smallbox.monitoring.day_changes import DayChange, day_change, day_means
from smallbox.monitoring.estimated_loss import LossReference, losses_by_class, probabilities_of
from smallbox.monitoring.findings import Finding, FindingKind, Severity
from smallbox.monitoring.observed_rows import ObservedRows
from smallbox.statistics.calibrated_estimate import expected_losses
from smallbox.statistics.prior_shift import shifted_prior, under_prior

HURTS: Final = 0.02
"""The share of the reference's mean loss that a cause must add to ring: what the gate and the canary accept too."""

ERROR: Final = 0.01
"""The accepted probability that a diagnosis names a change where there is none, over all columns together."""

MIN_LABELLED: Final = 50
_CARRIERS: Final = 5


@dataclass(frozen=True, slots=True, eq=False)
class Causes:
    """What is compared.

    Attributes:
        reference: prepared labelled rows; a reference that refuses still shows faults and moved inputs.
        recent: the rows of the recent days, labelled or not.
        importance: by input column the rise of the mean loss when it is permuted; columns that it lacks count as 0.
        hurts: the share of the mean loss that rings.
    """

    reference: LossReference
    recent: ObservedRows
    importance: Mapping[str, float]
    hurts: float = HURTS

    @property
    def limit(self) -> float:
        """The rise of the mean loss that rings; NaN when the reference has no mean loss."""
        return self.hurts * self.reference.loss

    def severity(self, least: float) -> Severity:
        """Of a cause that adds at least this to the mean loss."""
        return "incident" if least > self.limit else "notice"


def shift_causes(
    reference: LossReference, recent: ObservedRows, importance: Mapping[str, float], hurts: float = HURTS
) -> list[Finding]:
    """What explains a change of recent days, the worst first.

    Args:
        reference: of :func:`~smallbox.monitoring.estimated_loss.loss_reference`.
        recent: the rows of one day or more; none of these days is in the reference.
        importance: by input column the rise of the mean loss when it is permuted.
        hurts: the share of the reference's mean loss that a cause must add to be an incident.
    """
    if not len(recent) or len(np.unique(reference.rows.days)) < 2:  # noqa: PLR2004 - one day has no variance
        return []
    causes = Causes(reference, recent, importance, hurts)
    faults = _faults(causes)
    found = [_fault_finding(causes, fault) for fault in faults]
    if reference.calibrated is not None:
        found += _shifts(causes, {fault.column for fault in faults})
    return sorted(found, key=lambda one: (one.severity != "incident", -(one.effect or 0.0)))


def _faults(causes: Causes) -> list[Fault]:
    old, new = causes.reference.rows, causes.recent
    names = [name for name in old.inputs if name in new.inputs]
    error = ERROR / max(len(names), 1)
    return [
        fault
        for name in names
        for fault in faults_of(name, old.inputs[name], old.days, new.inputs[name], new.days, error)
    ]


def _fault_finding(causes: Causes, fault: Fault) -> Finding:
    """A fault takes from the column's importance the share of the rows that it touches."""
    effect = causes.importance.get(fault.column, 0.0) * fault.size
    evidence = {"fault": fault.name, "size": fault.size, "importance": causes.importance.get(fault.column, 0.0)}
    severity = causes.severity(effect)
    kind: FindingKind = "missing_values" if fault.name == "missing values" else "data_fault"
    return Finding(kind, fault.column, severity, fault.sentence, "mend the source", effect, evidence=evidence)


def _shifts(causes: Causes, faulty: set[str]) -> list[Finding]:
    """The shifts of inputs, prior and concept; faulty columns carry none."""
    found, reference = [], causes.reference
    covariate = _covariate(causes, faulty)
    labelled = causes.recent.labelled
    if len(labelled) < MIN_LABELLED:
        return [covariate] if covariate else []
    old, new = _expected(causes, reference.rows), _expected(causes, labelled)
    classes = new.shape[1]
    changes = [
        day_change(
            day_means((reference.rows.labels == k) - old[:, k], reference.rows.days),
            day_means((labelled.labels == k) - new[:, k], labelled.days),
            ERROR / (classes + 1),
        )
        for k in range(classes - 1)
    ]
    loss = _loss_residual(causes, labelled, old, new)
    if any(one.is_certain for one in (*changes, loss)):
        found.append(_label_shift(causes, labelled, new) or _concept(causes, labelled, new, loss))
    elif covariate:
        found.append(covariate)
    return found


def _expected(causes: Causes, rows: ObservedRows) -> Floats:
    calibrated = causes.reference.calibrated
    scores = probabilities_of(rows.outputs)
    return scores if calibrated is None else calibrated.applied(scores)


def _residuals(causes: Causes, rows: ObservedRows, expected: Floats) -> Floats:
    """Actual less expected loss of each labelled row."""
    by_class = losses_by_class(causes.reference.objective, rows.outputs)
    actual = by_class[np.arange(len(rows)), rows.labels.astype(np.int64)]
    return np.asarray(actual - expected_losses(expected, by_class))


def _loss_residual(causes: Causes, labelled: ObservedRows, old: Floats, new: Floats) -> DayChange:
    before = _residuals(causes, causes.reference.rows, old)
    after = _residuals(causes, labelled, new)
    return day_change(
        day_means(before, causes.reference.rows.days), day_means(after, labelled.days), ERROR / (new.shape[1] + 1)
    )


def _label_shift(causes: Causes, labelled: ObservedRows, new: Floats) -> Finding | None:
    """A label shift, when the prior found without labels has moved and explains the labels; else ``None``."""
    rows, old = causes.reference.rows, _expected(causes, causes.reference.rows)
    classes = old.shape[1]
    prior = old.mean(axis=0)
    moved = _priors(old, rows.days, prior), _priors(new, labelled.days, prior)
    changes = [day_change(moved[0][:, k], moved[1][:, k], ERROR / classes) for k in range(classes)]
    if not any(one.is_certain for one in changes):
        return None
    found = shifted_prior(new, prior)
    left = (_unexplained(old, rows, prior, moved[0]), _unexplained(new, labelled, prior, moved[1]))
    if any(day_change(left[0][:, k], left[1][:, k], ERROR / classes).is_certain for k in range(classes)):
        return None
    largest = int(np.argmax([abs(one.change.value) for one in changes]))
    before, after = (float((one.labels == largest).mean()) for one in (rows, labelled))
    effect, least = _realised(causes, labelled)
    told = f"the share of class {largest} moved from {before:.3f} to {after:.3f}"
    told += "; inputs given the class did not"
    evidence = {"prior": prior.tolist(), "prior_now": found.tolist()}
    return Finding(
        "label_shift", f"class {largest}", causes.severity(least), told, "retrain", effect, evidence=evidence
    )


def _priors(expected: Floats, days: Ints, prior: Floats) -> Floats:
    return np.array([shifted_prior(expected[days == day], prior) for day in np.unique(days)])


def _unexplained(expected: Floats, rows: ObservedRows, prior: Floats, own: Floats) -> Floats:
    """By day ``(d, k)`` the share of each class less what the day's own prior, found without labels, leads to expect.

    A usual day's prior is found with an error too, so recent days are compared with these.
    """
    found, happened = [], rows.labels[:, None] == np.arange(expected.shape[1])
    for day, found_prior in zip(np.unique(rows.days), own, strict=True):
        mask = rows.days == day
        found.append((happened[mask] - under_prior(expected[mask], prior, found_prior)).mean(axis=0))
    return np.array(found)


def _realised(causes: Causes, labelled: ObservedRows) -> tuple[float, float]:
    """By how much the realised mean loss of a day rose, and the least by which it did."""
    rows = causes.reference.rows
    nothing = np.zeros((len(rows), probabilities_of(rows.outputs).shape[1]))
    before = day_means(_residuals(causes, rows, nothing), rows.days)
    after = day_means(_residuals(causes, labelled, nothing[:1]), labelled.days)
    change = day_change(before, after, ERROR).change
    return change.value, change.low


def _concept(causes: Causes, labelled: ObservedRows, new: Floats, loss: DayChange) -> Finding:
    """Labels given the inputs have moved; the slices whose labels are furthest from what is expected carry it."""
    carriers = _slices(causes, labelled, new)
    told = f"the loss is {loss.change.value:+.4f} from what the scores lead to expect ({loss.change.low:+.4f} at least)"
    told += f"; labels differ most where {carriers[0]['slice']}" if carriers else ""
    subject = str(carriers[0]["column"]) if carriers else "loss"
    evidence = {"residual": loss.change.as_json(), "carriers": carriers}
    severity = causes.severity(loss.change.low)
    return Finding("concept_shift", subject, severity, told, "retrain", loss.change.value, evidence=evidence)


def _slices(causes: Causes, rows: ObservedRows, expected: Floats) -> list[dict[str, Any]]:
    """The slices of all columns by the residual of their labels, times the root of their share of the rows."""
    happened = rows.labels[:, None] == np.arange(expected.shape[1])
    found: list[dict[str, Any]] = []
    for name, values in rows.inputs.items():
        for told, mask in _parts(name, causes.reference.rows.inputs.get(name, values), values):
            if mask.any():
                residual = float(np.abs((happened[mask] - expected[mask]).mean(axis=0)).max())
                found.append({"column": name, "slice": told, "share": float(mask.mean()), "residual": residual})
    return sorted(found, key=lambda one: -one["residual"] * one["share"] ** 0.5)[:_CARRIERS]


def _parts(name: str, before: Array, values: Array) -> list[tuple[str, Bools]]:
    """A column in thirds of the reference, or by its most frequent texts."""
    if values.dtype == object:
        texts, counts = np.unique(before.astype(str), return_counts=True)
        return [(f"{name} is {text}", np.asarray(values == text)) for text in texts[np.argsort(-counts)][:10]]
    if np.isnan(before).all():
        return []
    low, high = np.nanquantile(before, (1 / 3, 2 / 3))
    return [(f"{name} is at most {low:.4g}", values <= low), (f"{name} is above {high:.4g}", values > high)]


def _covariate(causes: Causes, faulty: set[str]) -> Finding | None:
    """Inputs moved; the effect is what the calibrated scores lead to expect of the loss."""
    carriers = [one for one in movements(causes) if one["column"] not in faulty and one["is_certain"]]
    if not carriers:
        return None
    rows, recent, objective = causes.reference.rows, causes.recent, causes.reference.objective
    before, after = (
        day_means(expected_losses(_expected(causes, one), losses_by_class(objective, one.outputs)), one.days)
        for one in (rows, recent)
    )
    change = day_change(before, after, ERROR).change
    names = ", ".join(f"{one['column']} ({one['movement']:.2f} sd)" for one in carriers[:_CARRIERS])
    told = f"inputs moved: {names}; the expected loss changes by {change.value:+.4f} ({change.low:+.4f} at least)"
    evidence = {"carriers": carriers[:_CARRIERS], "effect": change.as_json()}
    severity = causes.severity(change.low)
    return Finding(
        "covariate_shift", str(carriers[0]["column"]), severity, told, "retrain", change.value, evidence=evidence
    )


def movements(causes: Causes) -> list[dict[str, Any]]:
    """How far each input moved, ranked by importance times movement.

    A movement is the largest change of a part of the column in standard deviations of its rows in the reference: of
    the number's place in the reference, 0 to 1, or of the share of a text.
    """
    old, new = causes.reference.rows, causes.recent
    names = [name for name in old.inputs if name in new.inputs]
    found = []
    for name in names:
        pairs = _figures(old.inputs[name], new.inputs[name])
        tested = [
            (day_change(day_means(one, old.days), day_means(two, new.days), ERROR / len(names) / len(pairs)), one)
            for one, two in pairs
            if np.isfinite(one).any() and np.isfinite(two).any()
        ]
        tested = [(change, one) for change, one in tested if np.isfinite(change.change.value)]
        sizes = [abs(change.change.value) / max(float(np.nanstd(one)), 1e-9) for change, one in tested]
        movement, certain = max(sizes, default=0.0), any(change.is_certain for change, _ in tested)
        weight = causes.importance.get(name, 0.0)
        found.append({"column": name, "movement": movement, "importance": weight, "is_certain": certain})
    return sorted(found, key=lambda one: (-one["importance"] * one["movement"], -one["movement"]))


def _figures(before: Array, after: Array) -> list[tuple[Floats, Floats]]:
    """The figures of a column whose daily means are compared, row by row."""
    if before.dtype == object:
        texts, counts = np.unique(before.astype(str), return_counts=True)
        return [((before == text) * 1.0, (after == text) * 1.0) for text in texts[np.argsort(-counts)][:10]]
    known = np.sort(before[~np.isnan(before)])
    return [(_places(known, before), _places(known, after))]


def _places(known: Floats, values: Array) -> Floats:
    """The place of each value in the reference, 0 to 1; NaN for missing ones."""
    places = (np.searchsorted(known, values, "left") + np.searchsorted(known, values, "right")) / 2 / max(len(known), 1)
    return np.where(np.isnan(values.astype(float)), np.nan, places)
