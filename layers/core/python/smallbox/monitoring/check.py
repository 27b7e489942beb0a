"""The daily check of a model: it stores a report by event day, and publishes the number of breaches."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.define.model import Model
from smallbox.define.project import Project
from smallbox.define.rules import Label
from smallbox.define.source import Source
from smallbox.documents.daily_run import DayDocument
from smallbox.ingestion.quarantine import Quarantine
from smallbox.lake.history import history
from smallbox.lake.names import records_table
from smallbox.monitoring.accuracy import Judged, accuracy_checks, judged
from smallbox.monitoring.check_rules import (
    SourceDayStats,
    data_checks,
    drift_checks,
    fallback_check,
    lost_checks,
    newest_age,
    sent_checks,
    skew_checks,
)
from smallbox.monitoring.reference import References
from smallbox.monitoring.report import (
    KINDS,
    LATEST,
    Check,
    metric_name,
    metrics_partition,
    of_channel,
    report_key,
    report_of,
)
from smallbox.monitoring.sent_fields import sent_of
from smallbox.monitoring.served_predictions import Served, is_whole, profile_of
from smallbox.monitoring.skew import skew_of
from smallbox.objectives.objective import OutputValues
from smallbox.ports import Between, Blobs, Documents, Lake, Meter
from smallbox.records import CHANNELS, Channel
from smallbox.registry.live_versions import live_versions
from smallbox.registry.signatures import Signatures, label_of_version, views_of_version
from smallbox.registry.store import Registry
from smallbox.times import DAY, WEEK, Micros, day_of, parse_moment


class CheckTask:
    """Checks a day of a model: data, features, predictions and accuracy."""

    def __init__(
        self,
        project: Project,
        lake: Lake,
        blobs: Blobs,
        registry: Registry,
        signatures: Signatures,
        metrics: Documents,
        meter: Meter,
    ) -> None:
        self._project = project
        self._lake = lake
        self._blobs = blobs
        self._registry = registry
        self._metrics = metrics
        self._meter = meter
        self._log = Served(lake, signatures)
        self._references = References(registry, metrics, blobs)

    def run(self, document: DayDocument) -> DayDocument:
        """Check the day before ``document["as_of"]``; adds ``day``, ``breaches`` and ``sentences`` to the document.

        Data, features and predictions are checked for that day, drift for the week that ends with it. Accuracy is
        checked for the newest settled days, whose attribution windows are over; the report names them.
        """
        model = self._project.model(document["model"])
        as_of = parse_moment(document["as_of"])
        day = day_of(as_of - DAY)
        label = self._label(model)
        settled = self._judged(model, label, as_of)
        checks = [*self._data(model, as_of), *self._served(model, as_of)]
        for channel, found in settled.items():
            own = accuracy_checks(model.monitor, label, self._baseline(model), found, as_of)
            checks += of_channel(channel, own)
        report = {
            **report_of(model.name, day, document["as_of"], checks),
            "accuracy": {channel: found.as_json() for channel, found in settled.items()},
            "references": self._origins(model),
        }
        self._store(model, day, report)
        figures = {metric_name(kind): float(report["breaches"][kind]) for kind in KINDS}
        self._meter.publish(figures, {"model": model.name})
        return {**document, "day": day, "breaches": report["breaches"], "sentences": report["sentences"]}

    def _store(self, model: Model, day: str, report: Mapping[str, Any]) -> None:
        """Store the report under its day, and as the latest unless a later day has been checked."""
        partition = metrics_partition(model.name)
        self._metrics.put(partition, report_key(day), report)
        latest = self._metrics.get(partition, LATEST)
        if latest is None or latest["day"] <= day:
            self._metrics.put(partition, LATEST, report)

    def _data(self, model: Model, as_of: Micros) -> list[Check]:
        """Checks of the sources that the definition or a live version reads."""
        live = live_versions(self._registry, model.name)
        views = [*model.views, *(view for version in live for view in views_of_version(self._registry, version))]
        labels = [model.label, *(label_of_version(self._registry, version) for version in live)]
        names = [model.request.name, *(one.source_name for one in labels), *(view.source.name for view in views)]
        return [
            check for name in dict.fromkeys(names) for check in self._source(model, self._project.source(name), as_of)
        ]

    def _source(self, model: Model, source: Source, as_of: Micros) -> list[Check]:
        start = as_of - DAY
        columns = ["key", "time", "known_at", "received_at", "digest"]
        # a record that became known earlier cannot be within the freshness
        since = as_of - max(WEEK + DAY, source.freshness_micros or 0)
        rows = self._lake.read(records_table(source), columns, Between("known_at", since, as_of))
        versions = None if rows is None else history(rows)
        known_at, times = (
            np.empty(0, np.int64) if versions is None else versions[name].to_numpy() for name in ("known_at", "time")
        )
        today = int((known_at >= start).sum())
        before = known_at[(known_at < start) & (known_at >= start - WEEK)]
        usual = len(before) / max(len(np.unique(before // DAY)), 1)
        quarantined = Quarantine(self._blobs).count(source.name, day_of(start))
        age = newest_age(source, times, known_at, as_of)
        return data_checks(model.monitor, source, SourceDayStats(today, quarantined, usual, age))

    def _served(self, model: Model, as_of: Micros) -> list[Check]:
        """Checks of features and predictions by channel: of the day, and for drift of the week."""
        week = self._log.week(model.name, as_of)
        day = week.filter(pc.greater_equal(week["time"], as_of - DAY))
        checks = [*self._fallback(model, day), *lost_checks(self._log.lost(model.name, day))]
        for channel in CHANNELS:
            found = [*self._day(model, day, channel, as_of), *self._drift(model, week, channel, as_of)]
            checks += of_channel(channel, found)
        return checks

    def _fallback(self, model: Model, day: pa.Table) -> list[Check]:
        arms = np.asarray(day.filter(pc.equal(day["channel"], "online"))["arm"])
        if not len(arms) or model.fallback is None:
            return []
        return [fallback_check(model.monitor, int((arms == "fallback").sum()), len(arms))]

    def _day(self, model: Model, day: pa.Table, channel: Channel, as_of: Micros) -> list[Check]:
        """Skew of a day's predictions, each recomputed by the definition of the version that answered it."""
        served = self._log.by_signature(model.name, day, channel)
        if not served:
            return []
        skews = [skew_of(one.signature, self._lake, one.rows) for one in served]
        sents = [sent_of(one.signature, self._lake, one.rows, as_of) for one in served]
        return [*skew_checks(model.monitor, skews), *sent_checks(model.monitor, sents)]

    def _drift(self, model: Model, week: pa.Table, channel: Channel, as_of: Micros) -> list[Check]:
        champion, reference = self._references.champion(model.name), self._references.of(model.name, channel)
        if champion is None or reference is None:
            return []
        served = self._log.comparable(week, channel, champion)
        if served is None or not served.rows.num_rows:
            return []
        profile = self._references.profile(reference)
        seen = profile_of(served.signature, served.rows, profile)
        return drift_checks(model.monitor, served.signature, profile, seen, whole=is_whole(served.rows, as_of))

    def _origins(self, model: Model) -> dict[Channel, str]:
        """For each channel, the origin of the drift reference."""
        found = {channel: self._references.of(model.name, channel) for channel in CHANNELS}
        return {channel: reference.origin for channel, reference in found.items() if reference is not None}

    def _label(self, model: Model) -> Label:
        """The label that the champion predicts; the definition's before the first champion."""
        champion = self._references.champion(model.name)
        return model.label if champion is None else label_of_version(self._registry, champion)

    def _baseline(self, model: Model) -> OutputValues | None:
        champion = self._references.champion(model.name)
        return None if champion is None or champion.is_outdated else champion.baseline_outputs

    def _judged(self, model: Model, label: Label, as_of: Micros) -> dict[Channel, Judged]:
        """For each channel, the labelled predictions of the versions that serve now."""
        routing = self._registry.routing(model.name)
        return judged(model, label, self._lake, () if routing is None else routing.versions, as_of)
