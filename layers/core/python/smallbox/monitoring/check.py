"""The daily check of a model: it stores a report by event day, records its incidents, and tells of the new ones."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from smallbox.define.model import Model
from smallbox.define.project import Project
from smallbox.define.rules import Label
from smallbox.documents.daily_run import DayDocument
from smallbox.labels.stored import LabelFigures, why_labels_wait
from smallbox.monitoring.accuracy import Judged, accuracy_checks, judged
from smallbox.monitoring.change_findings import change_findings
from smallbox.monitoring.change_watch import ChangeWatch
from smallbox.monitoring.check_findings import findings_of
from smallbox.monitoring.check_rules import data_checks
from smallbox.monitoring.diagnosis import Diagnosed, Diagnosis
from smallbox.monitoring.estimates import Estimates, believed
from smallbox.monitoring.exposure_check import ExposureCheck
from smallbox.monitoring.findings import Finding
from smallbox.monitoring.incidents import OPEN_INCIDENTS, IncidentBook, brief_of, opened_on
from smallbox.monitoring.joint_check import JointCheck
from smallbox.monitoring.label_findings import label_findings
from smallbox.monitoring.label_numbers import label_numbers
from smallbox.monitoring.notices import notice_of
from smallbox.monitoring.report import LATEST, Check, metrics_partition, not_judged, of_channel, report_key, report_of
from smallbox.monitoring.served_checks import CheckedAnswers, ServedChecks
from smallbox.monitoring.slice_figures import SlicedRows
from smallbox.monitoring.slice_findings import slice_findings, without_slices
from smallbox.monitoring.sliced_accuracy import SlicedAccuracy
from smallbox.monitoring.source_checks import SourceChecks, SourceDay
from smallbox.monitoring.source_numbers import source_numbers
from smallbox.ports import Blobs, Documents, Lake, Meter, OnlineStore
from smallbox.records import Channel
from smallbox.registry.signatures import Signatures, label_of_version
from smallbox.registry.store import Registry
from smallbox.registry.version import Version
from smallbox.release_ports import Notices
from smallbox.statistics.change_detector import DayVerdict
from smallbox.statistics.day_streams import DayValue
from smallbox.times import DAY, Micros, day_of, parse_moment


class CheckTask:
    """Checks a day of a model: sources, features, predictions, labels and accuracy."""

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
        *,
        online: OnlineStore,
    ) -> None:
        self._project = project
        self._lake = lake
        self._registry = registry
        self._metrics = metrics
        self._meter = meter
        self._notices = notices
        self._book = IncidentBook(metrics)
        self._sources = SourceChecks(project, registry, lake, blobs)
        self._served = ServedChecks(lake, signatures, blobs, online)
        self._sliced = SlicedAccuracy(lake)
        self._watch = ChangeWatch(blobs)
        self._diagnosis = Diagnosis(lake, signatures, blobs)
        self._estimates = Estimates(metrics)
        self._exposure = ExposureCheck(lake, signatures)

    def run(self, document: DayDocument) -> DayDocument:
        """Check the day before ``document["as_of"]``.

        Adds ``day``, ``breaches``, ``sentences`` and ``incidents`` to the document.

        Sources, features and predictions are checked for that day. Accuracy is checked for the newest settled days,
        whose attribution windows are over; the report names them.
        """
        model = self._project.model(document["model"])
        as_of = parse_moment(document["as_of"])
        checks, findings, details = self._check(model, as_of)
        day = day_of(as_of - DAY)
        report = {
            **report_of(model.name, day, document["as_of"], checks),
            "findings": [asdict(finding) for finding in findings],
            **details,
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

    def _check(self, model: Model, as_of: Micros) -> tuple[list[Check], list[Finding], dict[str, Any]]:
        """The checks of a day, what they find, and the details of the report."""
        champion = self._registry.champion(model.name)
        label = model.label if champion is None else label_of_version(self._registry, champion)
        routing = self._registry.routing(model.name)
        settled = judged(model, label, self._lake, () if routing is None else routing.versions, as_of)
        sources = self._sources.of(model, as_of)
        answers = self._served.of(model, champion, as_of)
        checks = [check for one in sources for check in data_checks(model.monitor, one.source, one.arrivals)]
        checks += answers.checks
        baseline = None if champion is None or champion.is_outdated else champion.baseline_outputs
        waits = why_labels_wait(self._metrics, model.name)
        for channel, found in settled.items():
            own = accuracy_checks(model.monitor, label, baseline, found, as_of)
            checks += of_channel(channel, not_judged(own, waits) if waits else own)
        signature = next((one.signature for one in answers.profiles.values()), None)
        sliced = self._sliced.of(model, signature, label, settled, as_of)
        # labels that the breaker does not trust are no reference for later days either
        labels = {} if waits else _label_numbers(settled, sliced, model.monitor.left_out_days)
        changes = self._changes(model, champion, as_of, sources, answers, labels)
        findings, estimate, joint = self._findings(model, champion, label, as_of, changes)
        exposure = self._exposure.of(model, champion, label, as_of)
        details = {
            "accuracy": {channel: _accuracy(found, sliced.get(channel)) for channel, found in settled.items()},
            "changes": {channel: asdict(verdict) for channel, verdict in changes.items()},
            "distances": self._distances(model, champion, as_of, answers, changes),
            "estimate": estimate,
            "exposure": exposure.figures,
            "joint": joint,
            "states": [asdict(lag) for lag in answers.lags],
        }
        return checks, [*findings_of(checks, day_of(as_of - DAY)), *findings, *exposure.findings], details

    def _findings(
        self, model: Model, champion: Version | None, label: Label, as_of: Micros, changes: Mapping[Channel, DayVerdict]
    ) -> tuple[list[Finding], dict[str, Any], Mapping[str, Any]]:
        """What the day's labels and changes mean beside its checks, the estimate of its loss, and the week's check."""
        day = day_of(as_of - DAY)
        diagnosed = self._diagnosed(model, champion, label, as_of, changes)
        estimate = self._estimates.keep(model.name, champion, day, diagnosed)
        findings = [*label_findings(LabelFigures(self._metrics, model.name).breaker(), day, label.source_name)]
        joint = JointCheck() if champion is None else self._diagnosis.joint(model, champion, label, as_of)
        findings += believed([*diagnosed.findings, *joint.findings], is_trusted=bool(estimate.get("trusted")))
        usual = None if champion is None else champion.metrics.get("loss", {}).get("value")
        outputs = label.objective.outputs
        for channel, verdict in changes.items():
            known = channel == "online" and bool(diagnosed.estimate)
            others = without_slices(verdict)
            findings += change_findings(model.monitor, others, outputs, usual, is_diagnosed=known)
            findings += [] if known else slice_findings(model.monitor, verdict, None)
        return findings, estimate, joint.document

    def _diagnosed(
        self, model: Model, champion: Version | None, label: Label, as_of: Micros, changes: Mapping[Channel, DayVerdict]
    ) -> Diagnosed:
        """Why the online predictions of the day differ, and what their loss is expected to be."""
        if champion is None or "online" not in changes:
            return Diagnosed((), {})
        return self._diagnosis.of(model, champion, label, as_of, changes["online"])

    def _changes(
        self,
        model: Model,
        champion: Version | None,
        as_of: Micros,
        sources: Sequence[SourceDay],
        answers: CheckedAnswers,
        labels: Mapping[Channel, Mapping[str, DayValue]],
    ) -> dict[Channel, DayVerdict]:
        """For each channel whether a lasting change rings; the sources count with the online one."""
        found = dict[Channel, DayVerdict]()
        for channel, profile in answers.profiles.items():
            numbers = dict[str, DayValue]()
            if channel == "online":
                for one in sources:
                    numbers |= source_numbers(one.source.name, one.arrivals)
            numbers |= profile.numbers()
            numbers |= labels.get(channel, {})
            if champion is not None and numbers:
                day = (as_of - DAY) // DAY
                found[channel] = self._watch.judge(model, champion, channel, day, numbers, profile.days)
        return found

    def _distances(
        self,
        model: Model,
        champion: Version | None,
        as_of: Micros,
        answers: CheckedAnswers,
        changes: Mapping[Channel, DayVerdict],
    ) -> dict[Channel, list[dict[str, Any]]]:
        """For each judged channel how far the last week is from the training, in deviations of a day."""
        if champion is None:
            return {}
        day = (as_of - DAY) // DAY
        return {
            channel: [
                {"name": one.name, **one.daily.as_json()}
                for one in self._watch.distances(model, champion, channel, day, answers.profiles[channel].days)
            ]
            for channel in changes
        }

    def _store(self, model: Model, day: str, report: Mapping[str, Any]) -> None:
        """Store the report under its day, and as the latest unless a later day has been checked."""
        partition = metrics_partition(model.name)
        self._metrics.put(partition, report_key(day), report)
        latest = self._metrics.get(partition, LATEST)
        if latest is None or latest["day"] <= day:
            self._metrics.put(partition, LATEST, report)


def _label_numbers(
    settled: Mapping[Channel, Judged], sliced: Mapping[Channel, SlicedRows], left_out: Container[int]
) -> dict[Channel, dict[str, DayValue]]:
    """The numbers of the newest settled day, by channel; labels come later, so their own day is what is left out."""
    return {
        channel: {
            **label_numbers(one.newest(1)),
            **(sliced[channel].numbers(one.until // DAY - 1) if channel in sliced else {}),
        }
        for channel, one in settled.items()
        if one.until // DAY - 1 not in left_out
    }


def _accuracy(found: Judged, sliced: SlicedRows | None) -> dict[str, Any]:
    """The accuracy of a channel as the report has it."""
    return {**found.as_json(), **({} if sliced is None else sliced.as_json())}
