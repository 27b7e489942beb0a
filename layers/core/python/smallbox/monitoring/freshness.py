"""The hourly look at the freshness of sources: a stale one opens its incident before the day is over."""

from collections.abc import Sequence

from smallbox.define.project import Project
from smallbox.define.source import Source
from smallbox.lake.names import records_table
from smallbox.monitoring.check_findings import findings_of
from smallbox.monitoring.check_rules import freshness_checks, newest_age
from smallbox.monitoring.findings import Finding
from smallbox.monitoring.incident import Incident
from smallbox.monitoring.incidents import OPEN_INCIDENTS, IncidentBook
from smallbox.monitoring.notices import notice_of
from smallbox.monitoring.report import Check
from smallbox.monitoring.watched_sources import watched_sources
from smallbox.ports import Between, Documents, Lake, Meter
from smallbox.registry.store import Registry
from smallbox.release_ports import Notices
from smallbox.times import DAY, WEEK, Micros, day_of


class FreshnessTask:
    """Judges every declared freshness at the present, by the definition of the daily check."""

    def __init__(
        self, project: Project, lake: Lake, registry: Registry, metrics: Documents, meter: Meter, notices: Notices
    ) -> None:
        self._project = project
        self._lake = lake
        self._registry = registry
        self._meter = meter
        self._notices = notices
        self._book = IncidentBook(metrics)

    def run(self, now: Micros) -> dict[str, list[str]]:
        """Look at the sources of every model with a champion; the sentences of the stale ones, by model."""
        found, seen = dict[str, list[str]](), dict[str, list[Check]]()
        for model in map(self._project.model, self._project.models):
            if self._registry.routing(model.name) is None:
                continue
            sources = watched_sources(self._project, self._registry, model)
            for source in sources:
                if source.name not in seen:
                    seen[source.name] = self._checks(source, now)
            checks = [check for source in sources for check in seen[source.name]]
            findings = findings_of(checks, day_of(now))
            self._tell(model.name, self._record(model.name, findings, now))
            found[model.name] = [finding.sentence for finding in findings]
        return found

    def _checks(self, source: Source, now: Micros) -> list[Check]:
        """Reads two columns of the records that became known within the freshness; of a week more if none is fresh."""
        freshness = source.freshness_micros
        if freshness is None:
            return []
        (check,) = self._since(source, now - freshness, now)
        return [check] if not check.breached else self._since(source, now - max(WEEK + DAY, freshness), now)

    def _since(self, source: Source, since: Micros, now: Micros) -> list[Check]:
        ages, rows = list[Micros](), 0
        known, columns = Between("known_at", since, now + 1), ["time", "known_at"]
        for part in self._lake.slices(records_table(source), between=known, columns=columns):
            rows += part.num_rows
            age = newest_age(source, part["time"].to_numpy(), part["known_at"].to_numpy(), now)
            ages += [] if age is None else [age]
        return freshness_checks(source, min(ages, default=None), rows)

    def _record(self, model: str, findings: Sequence[Finding], now: Micros) -> Sequence[Incident]:
        return self._book.record_early(model, findings, day_of(now), now) if findings else []

    def _tell(self, model: str, new: Sequence[Incident]) -> None:
        """Ring, tell, and only then mark as told: a failure in between tells again rather than never."""
        if new:
            self._meter.publish({OPEN_INCIDENTS: float(len(new))}, {"model": model})
        for incident in new:
            self._notices.tell(*notice_of(incident))
            self._book.mark_told(incident.id)
