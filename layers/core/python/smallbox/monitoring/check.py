"""The daily check of a model: it stores a report by event day, records its incidents, and publishes the new ones."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
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
from smallbox.monitoring.change_watch import ChangeWatch, change_findings
from smallbox.monitoring.check_findings import findings_of
from smallbox.monitoring.check_rules import (
    SourceDayStats,
    data_checks,
    degraded_checks,
    drift_checks,
    fallback_check,
    lost_checks,
    sent_checks,
    skew_checks,
)
from smallbox.monitoring.findings import Finding
from smallbox.monitoring.incidents import OPEN_INCIDENTS, IncidentBook, brief_of, notice_of, opened_on
from smallbox.monitoring.label_numbers import label_numbers
from smallbox.monitoring.reference import References
from smallbox.monitoring.report import (
    LATEST,
    Check,
    metrics_partition,
    of_channel,
    report_key,
    report_of,
)
from smallbox.monitoring.served_figures import DayFigures, WeekProfile
from smallbox.monitoring.served_predictions import Served
from smallbox.monitoring.source_numbers import source_numbers
from smallbox.monitoring.watched_sources import watched_sources
from smallbox.objectives.objective import OutputValues
from smallbox.ports import Between, Blobs, Documents, Lake, Meter, Notices
from smallbox.records import CHANNELS, Channel
from smallbox.registry.signatures import Signatures, label_of_version
from smallbox.registry.store import Registry
from smallbox.registry.version import Version
from smallbox.statistics.change_detector import DayVerdict
from smallbox.times import DAY, WEEK, Micros, day_of, parse_moment
from smallbox.training.profile_numbers import day_numbers


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
        notices: Notices,
    ) -> None:
        self._project = project
        self._lake = lake
        self._blobs = blobs
        self._registry = registry
        self._metrics = metrics
        self._meter = meter
        self._notices = notices
        self._book = IncidentBook(metrics)
        self._log = Served(lake, signatures)
        self._references = References(registry, metrics, blobs)
        self._watch = ChangeWatch(blobs)

    def run(self, document: DayDocument) -> DayDocument:
        """Check the day before ``document["as_of"]``.

        Adds ``day``, ``breaches``, ``sentences`` and ``incidents`` to the document.

        Data, features and predictions are checked for that day, drift for the week that ends with it. Accuracy is
        checked for the newest settled days, whose attribution windows are over; the report names them.
        """
        model = self._project.model(document["model"])
        as_of = parse_moment(document["as_of"])
        day = day_of(as_of - DAY)
        label = self._label(model)
        settled = self._judged(model, label, as_of)
        arrivals = self._arrivals(model, as_of)
        served, profiles = self._served(model, as_of)
        checks = [check for source, one in arrivals for check in data_checks(model.monitor, source, one)] + served
        for channel, found in settled.items():
            own = accuracy_checks(model.monitor, label, self._baseline(model), found, as_of)
            checks += of_channel(channel, own)
        changes = self._changes(model, as_of, arrivals, profiles, settled)
        findings = [*findings_of(checks, day), *self._changed(model, changes)]
        report = {
            **report_of(model.name, day, document["as_of"], checks),
            "findings": [asdict(finding) for finding in findings],
            "accuracy": {channel: found.as_json() for channel, found in settled.items()},
            "references": self._origins(model),
            "changes": {channel: asdict(verdict) for channel, verdict in changes.items()},
        }
        self._store(model, day, report)
        incidents = self._book.record(model.name, findings, day, as_of)
        new = opened_on(incidents, day)
        for incident in new:
            self._notices.tell(*notice_of(incident))
        self._meter.publish({OPEN_INCIDENTS: float(len(new))}, {"model": model.name})
        return {
            **document,
            "day": day,
            "breaches": report["breaches"],
            "sentences": report["sentences"],
            "incidents": [brief_of(incident) for incident in incidents],
        }

    def _store(self, model: Model, day: str, report: Mapping[str, Any]) -> None:
        """Store the report under its day, and as the latest unless a later day has been checked."""
        partition = metrics_partition(model.name)
        self._metrics.put(partition, report_key(day), report)
        latest = self._metrics.get(partition, LATEST)
        if latest is None or latest["day"] <= day:
            self._metrics.put(partition, LATEST, report)

    def _changes(
        self,
        model: Model,
        as_of: Micros,
        arrivals: Sequence[tuple[Source, SourceDayStats]],
        profiles: Mapping[Channel, WeekProfile],
        settled: Mapping[Channel, Judged],
    ) -> dict[Channel, DayVerdict]:
        """For each channel that was served, whether a lasting change rings; the sources count with the online one."""
        champion, found = self._references.champion(model.name), dict[Channel, DayVerdict]()
        of_sources = [number for source, one in arrivals for number in source_numbers(source.name, one).items()]
        for channel, profile in profiles.items():
            numbers = dict(of_sources) if channel == "online" else {}
            if profile.today is not None:
                numbers |= day_numbers(profile.today, profile.reference)
            if channel in settled:
                numbers |= label_numbers(settled[channel].newest(1))
            if champion is not None and numbers:
                day = (as_of - DAY) // DAY
                found[channel] = self._watch.judge(model, champion, channel, day, numbers)
        return found

    def _changed(self, model: Model, changes: Mapping[Channel, DayVerdict]) -> list[Finding]:
        outputs = self._label(model).objective.outputs
        return [
            finding
            for verdict in changes.values()
            for finding in change_findings(model.monitor, verdict, outputs, None)
        ]

    def _arrivals(self, model: Model, as_of: Micros) -> list[tuple[Source, SourceDayStats]]:
        """The day's records of the sources that the definition or a live version reads."""
        sources = watched_sources(self._project, self._registry, model)
        return [(source, self._arrived(source, as_of)) for source in sources]

    def _arrived(self, source: Source, as_of: Micros) -> SourceDayStats:
        quarantine, day = Quarantine(self._blobs), day_of(as_of - DAY)
        rejected = quarantine.count(source.name, day)
        rules = quarantine.rules(source.name, day) if rejected else {}
        return arrivals_of(self._lake, source, rejected, as_of, rules)

    def _served(self, model: Model, as_of: Micros) -> tuple[list[Check], dict[Channel, WeekProfile]]:
        """Checks of features and predictions by channel, and the profiles of the week and of the day."""
        start, champion = as_of - DAY, self._references.champion(model.name)
        day, profiles = DayFigures(model.name, self._lake, self._log, as_of), self._profiles(model, champion, as_of)
        before = self._log.parts(model.name, Between("time", as_of - WEEK, start), _read_by(profiles))
        today = self._log.parts(model.name, Between("time", start, as_of))
        for rows, is_today in chain(((rows, False) for rows in before), ((rows, True) for rows in today)):
            for channel, profile in profiles.items():
                if champion is not None:
                    profile.add(self._log, rows, channel, champion, is_today=is_today)
            if is_today:
                day.add(rows)
        degraded = degraded_checks(model.monitor, day.degraded, day.answers)
        checks = [*self._fallback(model, day), *degraded, *lost_checks(day.lost)]
        for channel in CHANNELS:
            skew = skew_checks(model.monitor, day.skews(channel))
            sent = sent_checks(model.monitor, day.sents(channel))
            checks += of_channel(channel, [*skew, *sent, *_drift(profiles.get(channel))])
        return checks, profiles

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


def _drift(profile: WeekProfile | None) -> list[Check]:
    if profile is None or profile.seen is None:
        return []
    return drift_checks(profile.signature, profile.reference, profile.seen)
