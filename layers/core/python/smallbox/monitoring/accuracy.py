"""The accuracy checks: mean loss, guardrails and label coverage, on as many settled days as it takes."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from smallbox.arrays import Ints
from smallbox.define.model import Model
from smallbox.define.rules import Guardrail, Label, Monitor
from smallbox.documents.metrics import Metrics, metric_of
from smallbox.labels.join import ASKED_LATE, LABELLED, UNLABELLED, coverage
from smallbox.labels.table import judged_columns, of_objective, of_one_version, scored_rows, settled_days
from smallbox.lake.names import labelled_table
from smallbox.lake.schemas import labelled_schema
from smallbox.monitoring.report import Check
from smallbox.objectives.measure import loss_difference, mean_loss, measure, scarcest
from smallbox.objectives.objective import Objective, OutputValues, Scored
from smallbox.ports import Lake
from smallbox.records import CHANNELS, Channel
from smallbox.statistics.estimates import none_if_nan
from smallbox.statistics.intervals import Interval
from smallbox.statistics.shares import surely_below
from smallbox.table_columns import SETTLES_FROM
from smallbox.times import DAY, Micros, day_of

SPANS: Final = (1, 2, 4, 8, 16, 28)
"""Spans in days, tried one after another until there are labels enough to judge."""

MAX_ROWS_JUDGED: Final = 500_000
"""With so many rows no older days are read, even if the rarest outcome has too few."""

_COLUMNS: Final = (SETTLES_FROM, "event_time", "version", "arm", "channel", "status")


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Predictions of one channel whose attribution windows are over.

    Attributes:
        until: the end of the newest settled day: all its windows are over.
        days: the number of days, counted back from ``until``.
        rows: the rows of the labelled table.
        serving: the versions that serve now; accuracy is judged on their rows.
        objective: that of the label that is judged.
    """

    until: Micros
    days: int
    rows: pa.Table
    serving: tuple[int, ...]
    objective: Objective

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
        """Labelled rows of the versions that serve now, without the fallback's and those of interleaved lists."""
        of_ours = pc.is_in(self.rows["version"], value_set=pa.array(self.serving, pa.int64()))
        is_model = pc.and_(of_ours, pc.not_equal(self.rows["arm"], "fallback"))
        is_known = pc.and_(pc.equal(self.rows["status"], LABELLED), of_objective(self.objective, self.rows))
        return of_one_version(self.rows.filter(pc.and_(is_model, is_known)))

    @property
    def scored(self) -> Scored:
        """The outputs and labels of :attr:`known`."""
        return scored_rows(self.objective, self.known)

    @property
    def day_numbers(self) -> Ints:
        """The day of each row of :attr:`known`: rows of one day depend on each other."""
        numbers: Ints = self.known[SETTLES_FROM].to_numpy() // DAY
        return numbers

    @property
    def asked(self) -> int:
        """The number of rows that the coverage is a share of."""
        return _count(self.rows, "status", LABELLED) + _count(self.rows, "status", UNLABELLED)

    def as_json(self) -> dict[str, Any]:
        """The days, the metrics, and how many rows were judged and left out, by reason."""
        count = {status: _count(self.rows, "status", status) for status in (LABELLED, UNLABELLED, ASKED_LATE)}
        fallback = _count(self.rows, "arm", "fallback")
        metrics = measure(self.objective, self.scored, self.day_numbers)
        judged = {"judged": metrics["rows"], "metrics": metrics}
        return {"first": self.first, "last": self.last, **count, "fallback": fallback, **judged}


def _count(rows: pa.Table, column: str, value: str) -> int:
    return pc.sum(pc.equal(rows[column], value)).as_py() or 0


def is_enough(rule: Monitor, scored: Scored, objective: Objective) -> bool:
    """Whether there are enough labels, and enough of the rarest outcome, to judge."""
    return len(scored) >= rule.min_rows and scarcest(objective, scored) >= rule.min_rarer


def judged(model: Model, label: Label, lake: Lake, serving: tuple[int, ...], as_of: Micros) -> dict[Channel, Judged]:
    """For each channel, the newest settled days with labels enough to judge.

    Older days are read only while a channel has too few labels. A channel without predictions on the days read is left
    out.
    """
    found: dict[Channel, Judged] = {}
    read, before, until = None, 0, settled_days(label, as_of).end
    columns, schema = [*_COLUMNS, *judged_columns(label.objective)], labelled_schema(label.objective)
    for days in SPANS:
        between = settled_days(label, as_of, days, before)
        older = lake.read(labelled_table(model.name), columns, between, schema=schema)
        if older is None:
            return {}
        read, before = older if read is None else pa.concat_tables([older, read]), days
        found |= _by_channel(Judged(until, days, read, serving, label.objective), found, model.monitor)
        is_settled = bool(found) and all(_is_enough(model.monitor, one) for one in found.values())
        if is_settled or read.num_rows >= MAX_ROWS_JUDGED:
            break
    return found


def _by_channel(read: Judged, found: Mapping[Channel, Judged], rule: Monitor) -> dict[Channel, Judged]:
    """The rows that were read, for the channels that had too few on fewer days."""
    wanting = [channel for channel in CHANNELS if channel not in found or not _is_enough(rule, found[channel])]
    now = {c: replace(read, rows=read.rows.filter(pc.equal(read.rows["channel"], c))) for c in wanting}
    return {channel: one for channel, one in now.items() if one.rows.num_rows}


def _is_enough(rule: Monitor, found: Judged) -> bool:
    return is_enough(rule, found.scored, found.objective)


def accuracy_checks(
    rule: Monitor, label: Label, baseline: OutputValues | None, found: Judged, as_of: Micros
) -> list[Check]:
    """Mean loss, guardrails and coverage.

    The loss breaches when it is significantly above that of the baseline on the same rows, less ``min_skill``. A
    guardrail breaches when the figure is significantly beyond its limit.

    Args:
        rule: the limits.
        label: the label that is judged.
        baseline: the champion's constant baseline outputs; ``None`` before the first champion.
        found: the rows.
        as_of: the end of the day.
    """
    scored = found.scored
    enough = is_enough(rule, scored, found.objective)
    few = f"; too few to judge: {len(scored)} labels, {scarcest(found.objective, scored)} of the rarest outcome"
    note = found.span if enough else found.span + few
    metrics = measure(found.objective, scored, found.day_numbers)
    return [
        *_loss(rule, found, baseline, note, enough=enough),
        *(_guardrail(one, metrics, note, enough=enough) for one in rule.guardrails),
        _coverage(rule, label, _covering(rule, found), as_of),
    ]


def _loss(rule: Monitor, found: Judged, baseline: OutputValues | None, note: str, *, enough: bool) -> Sequence[Check]:
    if baseline is None:
        return ()
    objective, scored, days = found.objective, found.scored, found.day_numbers
    constant = scored.beside(baseline)
    ours, theirs = (mean_loss(objective, one, days) for one in (scored, constant))
    if math.isnan(ours.value):
        return ()
    limit = theirs.value * (1 - rule.min_skill)
    is_worse = loss_difference(objective, scored, constant, days).low > limit - theirs.value
    said = f"{note}; mean {objective.loss_name}, {_bounds(ours)}; the constant baseline has {theirs.value:.4g}"
    return (Check("accuracy", "loss", ours.value, limit, enough and is_worse, len(scored), said),)


def _guardrail(one: Guardrail, metrics: Metrics, note: str, *, enough: bool) -> Check:
    found = Interval.from_json(metric_of(metrics, one.figure))
    is_beyond = found.high < one.limit if one.side == "floor" else found.low > one.limit
    said = f"{note}; {_bounds(found)}"
    value = none_if_nan(found.value)
    return Check("accuracy", one.figure, value, one.limit, enough and is_beyond, metrics["rows"], said)


def _bounds(found: Interval) -> str:
    return f"95 % bounds {found.low:.4g} and {found.high:.4g}"


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
