"""How good the predictions were that have their labels, on as many days as it takes to tell."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.define.model import Model
from smallbox.define.rules import Label, Monitor
from smallbox.feedback.join import ASKED_LATE, LABELLED, UNLABELLED, coverage
from smallbox.feedback.run import SETTLES_FROM, labelled_table, settled_days
from smallbox.monitoring.bounds import Z, surely_below
from smallbox.monitoring.report import CHANNELS, Channel, Check
from smallbox.ports import Between, Lake
from smallbox.times import Micros, day_of
from smallbox.training.metrics import Bools, measure

SPANS: Final = (1, 2, 4, 8, 16, 28)
"""Days that are looked at, one span after another, until there are rows enough to judge."""

MOST_ROWS: Final = 500_000
"""With so many rows no older days are read, though the rarer outcome be rarer still."""

_COLUMNS: Final = (SETTLES_FROM, "event_time", "version", "arm", "channel", "score", "label", "status")


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Predictions of one channel whose attribution windows are all over.

    Attributes:
        first: their first day.
        last: their last day: the newest one whose windows are all over.
        rows: all of them, as in the labelled table.
        serving: the versions that serve now: accuracy is theirs.
    """

    first: str
    last: str
    rows: pa.Table
    serving: tuple[int, ...]

    @property
    def known(self) -> pa.Table:
        """Those with a label that a version gave which serves now; a fallback's constant is nobody's prediction."""
        of_ours = pc.is_in(self.rows["version"], value_set=pa.array(self.serving, pa.int64()))
        is_model = pc.and_(of_ours, pc.not_equal(self.rows["arm"], "fallback"))
        return self.rows.filter(pc.and_(is_model, pc.equal(self.rows["status"], LABELLED)))

    def as_json(self) -> dict[str, Any]:
        """Which days they are of, and how many were not judged and why."""
        count = {status: _count(self.rows, "status", status) for status in (LABELLED, UNLABELLED, ASKED_LATE)}
        fallback = _count(self.rows, "arm", "fallback")
        return {"first": self.first, "last": self.last, **count, "fallback": fallback, "judged": self.known.num_rows}


def _count(rows: pa.Table, column: str, value: str) -> int:
    return int((np.asarray(rows[column]) == value).sum())


def outcomes_of(known: pa.Table) -> Bools:
    """The labels of rows that all have one."""
    return np.asarray(known["label"].to_numpy(), bool)


def is_enough(rule: Monitor, labels: Bools) -> bool:
    """Whether there are labels enough to judge by, of both outcomes."""
    positive = int(labels.sum())
    return len(labels) >= rule.min_rows and min(positive, len(labels) - positive) >= rule.min_rarer


def judged(model: Model, lake: Lake, serving: tuple[int, ...], as_of: Micros) -> dict[Channel, Judged]:
    """By channel the newest days whose windows are over, so many that there is enough to judge.

    A day with much traffic is read alone; the days before it only while a channel that was met has too few labels. A
    channel without predictions on the days that were read is left out.
    """
    found: dict[Channel, Judged] = {}
    read, before = None, 0
    for days in SPANS:
        older = lake.read(labelled_table(model.name), _COLUMNS, settled_days(model.label, as_of, days, before))
        if older is None:
            return {}
        read, before = older if read is None else pa.concat_tables([older, read]), days
        found |= _by_channel(read, settled_days(model.label, as_of, days), serving, found, model.monitor)
        is_settled = bool(found) and all(_is_enough(model.monitor, one) for one in found.values())
        if is_settled or read.num_rows >= MOST_ROWS:
            break
    return found


def _by_channel(
    rows: pa.Table, span: Between, serving: tuple[int, ...], found: Mapping[Channel, Judged], rule: Monitor
) -> dict[Channel, Judged]:
    """What is judged on a span, of the channels that did not have enough on the one before."""
    first, last = day_of(span.start), day_of(span.end - 1)
    wanting = [channel for channel in CHANNELS if channel not in found or not _is_enough(rule, found[channel])]
    judged_now = {c: Judged(first, last, rows.filter(pc.equal(rows["channel"], c)), serving) for c in wanting}
    return {channel: one for channel, one in judged_now.items() if one.rows.num_rows}


def _is_enough(rule: Monitor, found: Judged) -> bool:
    return is_enough(rule, outcomes_of(found.known))


def accuracy_checks(rule: Monitor, label: Label, found: Judged, as_of: Micros) -> list[Check]:
    """Ranking, calibration and coverage.

    The AUC breaches when the upper end of its one-sided 95 % interval (DeLong's variance) is below ``min_auc``.
    """
    known = found.known
    labels = outcomes_of(known)
    figures = measure(known["score"].to_numpy(), labels)
    auc, error, spread = figures["auc"], figures["calibration_error"], figures["auc_standard_error"]
    enough = is_enough(rule, labels)
    low = auc is not None and spread is not None and auc + Z * spread < rule.min_auc
    far = error is not None and error > rule.max_calibration_error
    days = f"of {found.first}" if found.first == found.last else f"of {found.first} to {found.last}"
    note = (
        days if enough else f"{days}; too few to judge: {int(labels.sum())} positive, {int((~labels).sum())} negative"
    )
    sure = note if spread is None else f"{note}; standard error {spread:.3g}"
    return [
        Check("accuracy", "auc", auc, rule.min_auc, enough and low, known.num_rows, sure),
        Check("accuracy", "calibration_error", error, rule.max_calibration_error, enough and far, known.num_rows, note),
        _coverage(rule, label, found, as_of, days),
    ]


def _counted(labels: Bools) -> str:
    positive = int(labels.sum())
    return f"{positive} positive and {len(labels) - positive} negative labels"


def _coverage(rule: Monitor, label: Label, found: Judged, as_of: Micros, days: str) -> Check:
    statuses = found.as_json()
    known, asked = statuses[LABELLED], statuses[LABELLED] + statuses[UNLABELLED]
    scarce = asked >= rule.min_rows and surely_below(known, asked, rule.min_coverage)
    note = f"{days}; {statuses[ASKED_LATE]} asked late are left out"
    share = coverage(label, found.rows, as_of)
    return Check("accuracy", "coverage", share, rule.min_coverage, scarce, asked, note)
