"""What the monitoring's function does: checks a day, stores its report by event day, publishes what breached."""

import json
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.define.model import Model
from smallbox.define.project import Project
from smallbox.define.source import Source
from smallbox.feedback.run import SETTLES_FROM, labelled_table
from smallbox.ingestion.quarantine import Quarantine
from smallbox.ingestion.table import history, name_of
from smallbox.monitoring.checks import Arrivals, accuracy_checks, data_checks, drift_checks, newest_age, skew_check
from smallbox.monitoring.report import KINDS, LATEST, Check, metric_name, metrics_partition, report_key, report_of
from smallbox.monitoring.skew import skew_of
from smallbox.ports import Between, Blobs, Documents, Lake, Meter
from smallbox.registry.store import Registry
from smallbox.serving.log import PredictionLog
from smallbox.times import DAY, Micros, day_of, parse_moment
from smallbox.training.profile import profile

WEEK: Final[Micros] = 7 * DAY
"""Drift is looked at over whole weeks: a day is not like the week that it is part of."""


class CheckTask:
    """A task of the day."""

    def __init__(
        self, project: Project, lake: Lake, blobs: Blobs, registry: Registry, metrics: Documents, meter: Meter
    ) -> None:
        self._project = project
        self._lake = lake
        self._blobs = blobs
        self._registry = registry
        self._metrics = metrics
        self._meter = meter
        self._log = PredictionLog(project, lake)

    def run(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Check the day before ``document["as_of"]``; add ``day``, ``breaches`` and ``sentences`` to the document.

        Data, features and predictions are those of that day (drift: of the week that ends with it). Accuracy is that of
        the latest day whose attribution windows are all over, and is reported with its own day.
        """
        model = self._project.model(document["model"])
        as_of = parse_moment(document["as_of"])
        day = day_of(as_of - DAY)
        checks = [*self._data(model, as_of), *self._features(model, as_of), *self._accuracy(model, as_of)]
        accuracy_day = day_of(self._windows_over(model, as_of) - DAY)
        report = {**report_of(model.name, day, document["as_of"], checks), "accuracy_day": accuracy_day}
        for key in (report_key(day), LATEST):
            self._metrics.put(metrics_partition(model.name), key, report)
        figures = {metric_name(kind): float(report["breaches"][kind]) for kind in KINDS}
        self._meter.publish(figures, {"model": model.name})
        return {**document, "day": day, "breaches": report["breaches"], "sentences": report["sentences"]}

    def _data(self, model: Model, as_of: Micros) -> list[Check]:
        label = self._project.source(model.label.source_name)
        sources = {s.name: s for s in (model.request, label, *(view.source for view in model.views))}
        return [check for source in sources.values() for check in self._source(model, source, as_of)]

    def _source(self, model: Model, source: Source, as_of: Micros) -> list[Check]:
        start = as_of - DAY
        columns = ["key", "time", "known_at", "received_at", "digest"]
        # what became known before the last days cannot be fresh
        since = as_of - max(WEEK + DAY, source.freshness_micros or 0)
        rows = self._lake.read(name_of(source), columns, Between("known_at", since, as_of))
        versions = None if rows is None else history(rows)
        known_at, times = (
            np.empty(0, np.int64) if versions is None else versions[name].to_numpy() for name in ("known_at", "time")
        )
        today = int((known_at >= start).sum())
        before = known_at[(known_at < start) & (known_at >= start - WEEK)]
        usual = len(before) / max(len(np.unique(before // DAY)), 1)
        quarantined = Quarantine(self._blobs).count(source.name, day_of(start))
        age = newest_age(source, times, known_at, as_of)
        return data_checks(model.monitor, source, Arrivals(today, quarantined, usual, age))

    def _features(self, model: Model, as_of: Micros) -> list[Check]:
        week = self._log.read(model.name, Between("time", as_of - WEEK, as_of))
        week = week.filter(pc.and_(pc.equal(week["channel"], "online"), pc.not_equal(week["arm"], "fallback")))
        week = week.filter(self._has_our_columns(model, week))
        if not week.num_rows:
            return []
        day = week.filter(pc.greater_equal(week["time"], as_of - DAY))
        return [*self._skew(model, day), *self._drift(model, week, as_of)]

    def _has_our_columns(self, model: Model, rows: pa.Table) -> pa.Array:
        """Whether each row was answered by a version of the columns that the definition has now."""
        numbers = pc.unique(rows["version"]).to_pylist()
        own = [n for n in numbers if self._registry.get(model.name, n).columns == list(model.columns.names)]
        return pc.is_in(rows["version"], value_set=pa.array(own, pa.int64()))

    def _skew(self, model: Model, rows: pa.Table) -> list[Check]:
        if not rows.num_rows:
            return []
        return [skew_check(model.monitor, skew_of(model, self._lake, rows))]

    def _drift(self, model: Model, week: pa.Table, as_of: Micros) -> list[Check]:
        routing = self._registry.routing(model.name)
        if routing is None:
            return []
        champion = self._registry.get(model.name, routing.champion)
        if champion.columns != list(model.columns.names):
            return []
        reference = json.loads(self._blobs.get(champion.profile_key))
        values = {name: week[name].to_numpy().astype(np.float32) for name in (*model.columns.numeric, "score")}
        texts = {name: np.array(week[name].to_pylist(), dtype=object) for name in model.columns.categorical}
        first: Micros = pc.min(week["time"]).as_py()
        seen = profile(model.columns, {**values, **texts}, reference)
        return drift_checks(model, reference, seen, whole=first < as_of - WEEK + DAY)

    def _windows_over(self, model: Model, as_of: Micros) -> Micros:
        """The last midnight before which every attribution window is over."""
        return (as_of - model.label.within_micros) // DAY * DAY

    def _accuracy(self, model: Model, as_of: Micros) -> list[Check]:
        end = self._windows_over(model, as_of)
        rows = self._lake.read(labelled_table(model.name), None, Between(SETTLES_FROM, end - DAY, end))
        if rows is None:
            return []
        return accuracy_checks(model.monitor, model.label, rows.filter(pc.equal(rows["channel"], "online")), as_of)
