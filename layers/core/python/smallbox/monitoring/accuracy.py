"""The accuracy checks: ranking, calibration and label coverage, on as many settled days as it takes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.arrays import Bools
from smallbox.define.model import Model
from smallbox.define.rules import Label, Monitor
from smallbox.labels.join import ASKED_LATE, LABELLED, UNLABELLED, coverage
from smallbox.labels.table import settled_days
from smallbox.lake.names import labelled_table
from smallbox.monitoring.report import Check
from smallbox.objectives.binary import measure
from smallbox.ports import Lake
from smallbox.records import CHANNELS, Channel
from smallbox.statistics.confidence import side_of
from smallbox.statistics.shares import surely_below
from smallbox.table_columns import SETTLES_FROM
from smallbox.times import DAY, Micros, day_of

SPANS: Final = (1, 2, 4, 8, 16, 28)
"""Spans in days, tried one after another until there are labels enough to judge."""

MAX_ROWS_JUDGED: Final = 500_000
"""With so many rows no older days are read, even if the rarer class has too few."""

_COLUMNS: Final = (SETTLES_FROM, "event_time", "version", "arm", "channel", "score", "label", "status")


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Predictions of one channel whose attribution windows are over.

    Attributes:
        until: the end of the newest settled day: all its windows are over.
        days: the number of days, counted back from ``until``.
        rows: the rows of the labelled table.
        serving: the versions that serve now; accuracy is judged on their rows.
    """

    until: Micros
    days: int
    rows: pa.Table
    serving: tuple[int, ...]

    @property
    def first(self) -> str:
        """The first day, ``YYYY-MM-DD``."""
        return day_of(self.until - self.days * DAY)

    @property
    def last(self) -> str:
        """The last day, ``YYYY-MM-DD``."""
        return day_of(self.until - 1)

    @property
    def span(self) -> str:
        """The days in words."""
        return f"of {self.last}" if self.days == 1 else f"of {self.first} to {self.last}"

    def newest(self, days: int) -> "Judged":
        """Only the rows of the newest days."""
        inside = pc.greater_equal(self.rows[SETTLES_FROM], self.until - days * DAY)
        return replace(self, days=days, rows=self.rows.filter(inside))

    @property
    def known(self) -> pa.Table:
        """Labelled rows of the versions that serve now; answers of the fallback are left out."""
        of_ours = pc.is_in(self.rows["version"], value_set=pa.array(self.serving, pa.int64()))
        is_model = pc.and_(of_ours, pc.not_equal(self.rows["arm"], "fallback"))
        return self.rows.filter(pc.and_(is_model, pc.equal(self.rows["status"], LABELLED)))

    @property
    def asked(self) -> int:
        """The number of rows that the coverage is a share of."""
        return _count(self.rows, "status", LABELLED) + _count(self.rows, "status", UNLABELLED)

    def as_json(self) -> dict[str, Any]:
        """The days, and how many rows were judged and left out, by reason."""
        count = {status: _count(self.rows, "status", status) for status in (LABELLED, UNLABELLED, ASKED_LATE)}
        fallback = _count(self.rows, "arm", "fallback")
        return {"first": self.first, "last": self.last, **count, "fallback": fallback, "judged": self.known.num_rows}


def _count(rows: pa.Table, column: str, value: str) -> int:
    return int((np.asarray(rows[column]) == value).sum())


def outcomes_of(known: pa.Table) -> Bools:
    """The labels of rows that all have one."""
    return np.asarray(known["label"].to_numpy(), bool)


def is_enough(rule: Monitor, labels: Bools) -> bool:
    """Whether there are enough labels, and enough of the rarer class, to judge."""
    positive = int(labels.sum())
    return len(labels) >= rule.min_rows and min(positive, len(labels) - positive) >= rule.min_rarer


def judged(model: Model, label: Label, lake: Lake, serving: tuple[int, ...], as_of: Micros) -> dict[Channel, Judged]:
    """For each channel, the newest settled days with labels enough to judge.

    Older days are read only while a channel has too few labels. A channel without predictions on the days read is left
    out.
    """
    found: dict[Channel, Judged] = {}
    read, before, until = None, 0, settled_days(label, as_of).end
    for days in SPANS:
        older = lake.read(labelled_table(model.name), _COLUMNS, settled_days(label, as_of, days, before))
        if older is None:
            return {}
        read, before = older if read is None else pa.concat_tables([older, read]), days
        found |= _by_channel(read, until, days, serving, found, model.monitor)
        is_settled = bool(found) and all(_is_enough(model.monitor, one) for one in found.values())
        if is_settled or read.num_rows >= MAX_ROWS_JUDGED:
            break
    return found


def _by_channel(
    rows: pa.Table, until: Micros, days: int, serving: tuple[int, ...], found: Mapping[Channel, Judged], rule: Monitor
) -> dict[Channel, Judged]:
    """The rows of these days, for the channels that had too few on fewer days."""
    wanting = [channel for channel in CHANNELS if channel not in found or not _is_enough(rule, found[channel])]
    now = {c: Judged(until, days, rows.filter(pc.equal(rows["channel"], c)), serving) for c in wanting}
    return {channel: one for channel, one in now.items() if one.rows.num_rows}


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
    low = auc is not None and spread is not None and side_of(auc, spread, rule.min_auc) == "below"
    far = error is not None and error > rule.max_calibration_error
    note = found.span if enough else f"{found.span}; too few to judge: {_counted(labels)}"
    sure = note if spread is None else f"{note}; standard error {spread:.3g}"
    return [
        Check("accuracy", "auc", auc, rule.min_auc, enough and low, known.num_rows, sure),
        Check("accuracy", "calibration_error", error, rule.max_calibration_error, enough and far, known.num_rows, note),
        _coverage(rule, label, _covering(rule, found), as_of),
    ]


def _counted(labels: Bools) -> str:
    positive = int(labels.sum())
    return f"{positive} positive and {len(labels) - positive} negative labels"


def _covering(rule: Monitor, found: Judged) -> Judged:
    """The newest days with rows enough: missing labels of one day must not hide among older days."""
    spans = (found.newest(days) for days in SPANS if days < found.days)
    return next((span for span in spans if span.asked >= rule.min_rows), found)


def _coverage(rule: Monitor, label: Label, found: Judged, as_of: Micros) -> Check:
    known = _count(found.rows, "status", LABELLED)
    scarce = found.asked >= rule.min_rows and surely_below(known, found.asked, rule.min_coverage)
    note = f"{found.span}; {_count(found.rows, 'status', ASKED_LATE)} asked late are left out"
    share = coverage(label, found.rows, as_of)
    return Check("accuracy", "coverage", share, rule.min_coverage, scarce, found.asked, note)
