"""The daily check of a model: it stores a report by event day, and publishes the number of breaches."""

from collections.abc import Callable, Mapping
from functools import partial
from itertools import chain
from typing import Any

from smallbox.define.model import Model
from smallbox.define.project import Project
from smallbox.define.rules import Label
from smallbox.define.source import Source
from smallbox.documents.daily_run import DayDocument
from smallbox.ingestion.quarantine import Quarantine
from smallbox.monitoring.accuracy import Judged, accuracy_checks, judged
from smallbox.monitoring.arrivals import arrivals_of
from smallbox.monitoring.check_rules import (
    data_checks,
    degraded_checks,
    drift_checks,
    fallback_check,
    lost_checks,
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
from smallbox.monitoring.served_figures import DayFigures, WeekProfile
from smallbox.monitoring.served_predictions import Served
from smallbox.monitoring.watched_sources import watched_sources
from smallbox.objectives.objective import OutputValues
from smallbox.ports import Between, Blobs, Documents, Lake, Meter
from smallbox.records import CHANNELS, Channel
from smallbox.registry.signatures import Signatures, label_of_version
from smallbox.registry.store import Registry
from smallbox.registry.version import Version
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
        sources = watched_sources(self._project, self._registry, model)
        return [check for source in sources for check in self._source(model, source, as_of)]

    def _source(self, model: Model, source: Source, as_of: Micros) -> list[Check]:
        quarantine, day = Quarantine(self._blobs), day_of(as_of - DAY)
        rejected = quarantine.count(source.name, day)
        rules = quarantine.rules(source.name, day) if rejected else {}
        return data_checks(model.monitor, source, arrivals_of(self._lake, source, rejected, as_of, rules))

    def _served(self, model: Model, as_of: Micros) -> list[Check]:
        """Checks of features and predictions by channel: of the day, and for drift of the week."""
        start, champion = as_of - DAY, self._references.champion(model.name)
        day, profiles = DayFigures(model.name, self._lake, self._log, as_of), self._profiles(model, champion, as_of)
        before = self._log.parts(model.name, Between("time", as_of - WEEK, start), _read_by(profiles))
        today = self._log.parts(model.name, Between("time", start, as_of))
        for rows, is_today in chain(((rows, False) for rows in before), ((rows, True) for rows in today)):
            for channel, profile in profiles.items():
                if champion is not None:
                    profile.add(self._log, rows, channel, champion)
            if is_today:
                day.add(rows)
        degraded = degraded_checks(model.monitor, day.degraded, day.answers)
        checks = [*self._fallback(model, day), *degraded, *lost_checks(day.lost)]
        for channel in CHANNELS:
            skew = skew_checks(model.monitor, day.skews(channel))
            sent = sent_checks(model.monitor, day.sents(channel))
            checks += of_channel(channel, [*skew, *sent, *_drift(model, profiles.get(channel))])
        return checks

    def _fallback(self, model: Model, day: DayFigures) -> list[Check]:
        if not day.answers or model.fallback is None:
            return []
        return [fallback_check(model.monitor, day.fallbacks, day.answers)]

    def _profiles(self, model: Model, champion: Version | None, as_of: Micros) -> dict[Channel, WeekProfile]:
        """A profile to fill for each channel; none when there is no champion, or its signature is lost."""
        signature = None if champion is None else self._log.signature(model.name, champion.number)
        if signature is None:
            return {}
        found = {channel: self._references.of(model.name, channel) for channel in CHANNELS}
        return {
            channel: WeekProfile(signature, partial(self._references.profile, reference), as_of)
            for channel, reference in found.items()
            if reference is not None
        }

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


def _read_by(profiles: Mapping[Channel, WeekProfile]) -> Callable[[str], bool]:
    """Whether a column of the log is read for one of these."""
    return lambda column: any(profile.reads(column) for profile in profiles.values())


def _drift(model: Model, profile: WeekProfile | None) -> list[Check]:
    if profile is None or profile.seen is None:
        return []
    found = profile.signature, profile.reference, profile.seen
    return drift_checks(model.monitor, *found, whole=profile.is_whole)
