"""``release/shadow``: a candidate scores the logged requests, out of the request path.

It starts with the requests that were logged since the moment up to which the candidate's training knew its data, and
goes on with each day as it ends. When a day's labels are complete, the losses of both versions on the same rows are
stored. The shadow goes on while the candidate is in a canary.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.define.model import Model
from smallbox.define.project import Project
from smallbox.define.release_rules import Shadow
from smallbox.define.rules import Label
from smallbox.define.signature import Signature
from smallbox.documents.daily_run import DayDocument, ShadowStep
from smallbox.errors import NotReady
from smallbox.labels.stored import why_labels_wait
from smallbox.labels.table import scored_rows
from smallbox.lake.slices import slice_masks
from smallbox.objectives.objective import Objective, Scored
from smallbox.ports import Between, Documents, Lake
from smallbox.registry.loader import ModelLoader
from smallbox.registry.routing import Routing
from smallbox.registry.signatures import label_of_version
from smallbox.registry.store import Registry
from smallbox.registry.version import Version
from smallbox.release.comparable import why_incomparable
from smallbox.release.shadow_days import ShadowDays, as_settled
from smallbox.release.shadow_figures import (
    answers_compared,
    calibration_means,
    sliced_losses,
    unlike_answers,
)
from smallbox.release.shadow_rows import ShadowRows, started_in
from smallbox.release.shadow_scoring import Rescored, ShadowScorer
from smallbox.statistics.paired_days import paired_days
from smallbox.times import DAY, SECOND, Micros, parse_day, parse_moment

DAYS_AT_ONCE: Final = 31
"""So many days a run scores at most; the next run goes on where it stopped."""

_DEFAULT: Final = Shadow()


class ShadowTask:
    """A daily task: scores the new days of the running release, and settles those whose labels are complete.

    Behind an open label breaker no day is settled: its labels may be missing, or say something else.

    Args:
        project: the models.
        lake: the log, the labels and the records.
        registry: has the routing.
        loader: the versions.
        metrics: keeps the days.
        stopwatch: the present in microseconds, to tell what a prediction costs.
    """

    def __init__(
        self,
        project: Project,
        lake: Lake,
        registry: Registry,
        loader: ModelLoader,
        metrics: Documents,
        stopwatch: Callable[[], Micros],
    ) -> None:
        self._project = project
        self._lake = lake
        self._registry = registry
        self._loader = loader
        self._metrics = metrics
        self._stopwatch = stopwatch

    def run(self, document: DayDocument) -> DayDocument:
        """Return the document with ``shadow``: the candidate, how many days were scored and settled, or why none."""
        model, now = self._project.model(document["model"]), parse_moment(document["as_of"])
        routing = self._registry.routing(model.name)
        if routing is None or routing.candidate is None:
            return {**document, "shadow": {"version": None, "scored": 0, "settled": 0, "why": "no release runs"}}
        return {**document, "shadow": self._shadow(model, routing, now)}

    def _shadow(self, model: Model, routing: Routing, now: Micros) -> ShadowStep:
        rule = model.release.shadow or _DEFAULT
        candidate = self._registry.get(model.name, routing.candidate or 0)
        why = why_incomparable(self._registry, candidate, self._registry.get(model.name, routing.champion))
        if why:
            return {"version": candidate.number, "scored": 0, "settled": 0, "why": why}
        label = label_of_version(self._registry, candidate)
        rows, scorer = ShadowRows(self._lake, rule.max_rows), ShadowScorer(self._lake, self._loader)
        days = ShadowDays(self._metrics, model.name, candidate.number)
        run = _ShadowRun(rows, scorer, days, candidate, routing, model, now)
        try:
            scored = run.score_new_days(label, self._stopwatch)
            settled = 0 if why_labels_wait(self._metrics, model.name) else run.settle_days(label)
        except NotReady as error:
            return {"version": candidate.number, "scored": 0, "settled": 0, "why": str(error)}
        return {"version": candidate.number, "scored": scored, "settled": settled, "why": ""}


class _ShadowRun:
    """One run for one candidate."""

    def __init__(
        self,
        rows: ShadowRows,
        scorer: ShadowScorer,
        days: ShadowDays,
        version: Version,
        routing: Routing,
        model: Model,
        now: Micros,
    ) -> None:
        self._rows = rows
        self._scorer = scorer
        self._days = days
        self._version = version
        self._routing = routing
        self._limits = model.serve.limits
        self._slices = model.monitor.slices
        self._now = now
        self._since = parse_moment(version.as_of)

    def score_new_days(self, label: Label, stopwatch: Callable[[], Micros]) -> int:
        """Score the ended days that were not compared with this champion yet."""
        known = {parse_day(day["day"]) for day in self._days.of(self._routing.champion)}
        ended = range(self._since // DAY * DAY, self._now - DAY + 1, DAY)
        new = [day for day in ended if day not in known][:DAYS_AT_ONCE]
        for day in new:
            self._days.keep(day, self._scored(day, label, stopwatch))
        return len(new)

    def _scored(self, day: Micros, label: Label, stopwatch: Callable[[], Micros]) -> dict[str, Any]:
        both = (self._routing.champion, self._version.number)
        rows = self._rows.asked(self._version.model, both, Between("time", max(day, self._since), day + DAY))
        began = stopwatch()
        rescored = self._scorer.score(self._version.model, self._version.number, rows, self._now)
        seconds, objective = (stopwatch() - began) / SECOND, label.objective
        return {
            "champion": self._routing.champion,
            "asked": answers_compared(rescored.within(self._limits), objective, self._routing.champion, seconds),
            "unlike": unlike_answers(rescored, objective, self._version.number),
            "settled": None,
        }

    def settle_days(self, label: Label) -> int:
        """Compare the losses of the days whose attribution windows are all over."""
        over = self._now - label.within_micros - DAY
        open_ = [day for day in self._days.of(self._routing.champion) if day["settled"] is None]
        ready = [day for day in open_ if parse_day(day["day"]) <= over]
        for document in ready:
            day = parse_day(document["day"])
            self._days.keep(day, {**document, "settled": self._settled(day, label)})
        return len(ready)

    def _settled(self, day: Micros, label: Label) -> dict[str, Any]:
        between, model = started_in(day, day + DAY), self._version.model
        labelled = self._rows.labelled(model, label, self._routing.champion, between, self._since)
        if not labelled.num_rows:
            return as_settled(day, [])
        logged = self._rows.logged(model, labelled)
        rescored = self._scorer.score(model, self._version.number, logged, self._now).within(self._limits)
        return _losses_compared(day, rescored.signature, labelled, rescored, self._slices)


def _losses_compared(
    day: Micros, signature: Signature, labelled: pa.Table, rescored: Rescored, sliced: Sequence[str]
) -> dict[str, Any]:
    """The losses of both versions on the same rows; rows for which either gives no number are left out."""
    objective = signature.objective
    known = ~np.isnan(rescored.outputs).any(axis=1)
    scored, outputs = rescored.rows.filter(pa.array(known)), rescored.outputs[known]
    at = pc.index_in(labelled["id"].combine_chunks(), value_set=scored["id"].combine_chunks())
    found = pc.is_valid(at)
    if not pc.any(found).as_py():
        return as_settled(day, [])
    both, places = labelled.filter(found), at.filter(found)
    ours = scored_rows(objective, both)
    theirs = ours.beside(outputs[places.to_numpy()])
    losses = objective.losses(ours), objective.losses(theirs)
    mine, other = losses[0].values, losses[1].values
    paired = paired_days(np.full(len(mine), day // DAY), mine, other)
    units = scored.take(places).take(pa.array(losses[0].rows))
    slices = sliced_losses(slice_masks(signature, units, sliced), mine, other)
    settled = {**as_settled(day, paired), "calibration": calibration_means(objective, ours, theirs), "slices": slices}
    return settled | _level_set(day, objective, ours, theirs)


def _level_set(day: Micros, objective: Objective, ours: Scored, theirs: Scored) -> dict[str, Any]:
    """The paired losses after both versions predict the day's own level: what is left of them is how they rank."""
    set_ours, set_theirs = (objective.with_level_set(one) for one in (ours, theirs))
    if set_ours is None or set_theirs is None:
        return {}
    mine, other = (objective.losses(one).values for one in (set_ours, set_theirs))
    return {"level_set": as_settled(day, paired_days(np.full(len(mine), day // DAY), mine, other))["paired"]}
