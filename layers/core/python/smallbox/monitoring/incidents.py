"""The book of incidents: findings of a day open, update and close them; people acknowledge and close them."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from smallbox.documents.daily_run import IncidentBrief
from smallbox.errors import Conflict, InvalidInput, NotFound
from smallbox.monitoring.findings import Finding
from smallbox.monitoring.incident import (
    Incident,
    StoryEntry,
    acknowledged_by,
    cause_of,
    closed_by,
    go_on,
    incident_from_json,
    open_incident,
    seen_early,
    stay_quiet,
    with_entry,
)
from smallbox.monitoring.report import metrics_partition
from smallbox.ports import Documents
from smallbox.times import Micros

OPEN_INCIDENTS: Final = "OpenIncidents"
"""Name of the figure that a model's alarm watches: the incidents that the checked day opened and nobody acknowledged.

So it rings once for an incident, and not every day while the incident lasts."""

_PREFIX: Final = "incident#"
_ATTEMPTS: Final = 5


class IncidentBook:
    """The incidents of every model, in the metrics table. Every write is conditional on what was read."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def incidents(self, model: str) -> Sequence[Incident]:
        """All incidents of a model, oldest first."""
        found = self._documents.query(metrics_partition(model), _PREFIX)
        return sorted(map(incident_from_json, found), key=lambda incident: (incident.opened, incident.id))

    def unresolved(self, model: str) -> Sequence[Incident]:
        """Those that are not closed, oldest first."""
        return [incident for incident in self.incidents(model) if not incident.is_closed]

    def get(self, id_: str) -> Incident:
        """One incident.

        Raises:
            NotFound: when there is none of that id.
        """
        return self._read(id_)[0]

    def record(self, model: str, findings: Sequence[Finding], day: str, now: Micros) -> Sequence[Incident]:
        """Record a checked day; the incidents that are not closed afterwards, or were closed by this day.

        Findings of severity ``incident`` are grouped by cause: an incident of that cause that is not closed goes on,
        else one is opened. An incident without a finding is quiet, and closes after ``QUIET_DAYS`` such days.

        Recording the same day again changes nothing, and finishes what was begun. A day before the newest one that an
        incident has seen changes nothing.

        Args:
            model: the model's name.
            findings: what the check found, of any severity.
            day: the event day that was checked, ``YYYY-MM-DD``.
            now: the moment that the check was made for, microseconds.

        Raises:
            Conflict: when other writers were first in every attempt.
        """
        known = self.incidents(model)
        if any(incident.checked > day for incident in known):
            return [incident for incident in known if not incident.is_closed]
        by_cause = _by_cause(findings)
        for cause, own in by_cause.items():
            if not any(_is_told(incident, cause, day) for incident in known):
                self._open(open_incident(model, own, day, now))
        for incident in known:
            if not incident.is_closed and incident.checked < day:
                self._change(incident.id, _of_day(by_cause.get(incident.cause, ()), day, now))
        return [one for one in self.incidents(model) if not one.is_closed or one.checked == day]

    def record_early(self, model: str, findings: Sequence[Finding], day: str, now: Micros) -> Sequence[Incident]:
        """Record findings of a day that is not over: those of its incidents that nobody was told of.

        An incident of the cause that is not closed gets a line, else one is opened. The day is not marked as checked,
        nothing becomes quiet and nothing closes: that is for the daily check.

        Raises:
            Conflict: when other writers were first in every attempt.
        """
        known, by_cause = self.incidents(model), _by_cause(findings)
        for cause, own in by_cause.items():
            told = [incident for incident in known if _is_told(incident, cause, day)]
            if not told:
                self._open(replace(open_incident(model, own, day, now), checked=""))
            for incident in told:
                self._change(incident.id, lambda one, own=own: seen_early(one, own, day, now))  # type: ignore[misc]
        found = self.incidents(model)
        return [one for one in opened_on(found, day) if one.cause in by_cause and not one.checked]

    def mark_told(self, id_: str) -> Incident:
        """People were told of it.

        Raises:
            NotFound: when there is none of that id.
        """
        return self._change(id_, lambda incident: replace(incident, told=True))

    def acknowledge(self, id_: str, by: str, why: str, now: Micros) -> Incident:
        """A person knows of it; it goes on, but counts as told.

        Raises:
            InvalidInput: without a name or a reason, or when it is closed.
            NotFound: when there is none of that id.
        """
        _require(by, why)
        if self.get(id_).is_closed:
            raise InvalidInput(f"incident {id_} is closed; there is nothing to acknowledge")
        return self._change(id_, lambda incident: acknowledged_by(incident, by, why, now))

    def close(self, id_: str, by: str, why: str, now: Micros) -> Incident:
        """A person closes it. A finding of its cause on a later day opens another.

        Raises:
            InvalidInput: without a name or a reason.
            NotFound: when there is none of that id.
        """
        _require(by, why)
        return self._change(id_, lambda incident: closed_by(incident, f"{by}: {why}", now))

    def link(self, id_: str, entry: StoryEntry) -> Incident:
        """Add a line to its story, once.

        Raises:
            NotFound: when there is none of that id.
        """
        return self._change(id_, lambda incident: with_entry(incident, entry))

    def _open(self, incident: Incident) -> None:
        """Write a new one; ``Conflict`` when another check of the day was first, and a retry finds its incident."""
        self._documents.swap(*_key(incident.id), incident.as_json(), 0)

    def _change(self, id_: str, change: Callable[[Incident], Incident]) -> Incident:
        for _ in range(_ATTEMPTS):
            before, revision = self._read(id_)
            after = change(before)
            if after == before:
                return after
            try:
                self._documents.swap(*_key(id_), after.as_json(), revision)
            except Conflict:
                continue
            return after
        raise Conflict(f"other writers changed incident {id_} in all {_ATTEMPTS} attempts; try again", incident=id_)

    def _read(self, id_: str) -> tuple[Incident, int]:
        document = self._documents.get(*_key(id_))
        if document is None:
            raise NotFound(f"there is no incident {id_!r}", incident=id_)
        return incident_from_json(document), int(document["revision"])


def opened_on(incidents: Sequence[Incident], day: str) -> Sequence[Incident]:
    """Those that a day opened, nobody has acknowledged or closed and no hourly look has told.

    The figure ``OpenIncidents`` counts them.
    """
    return [one for one in incidents if one.state == "open" and one.opened == day and not one.told]


def brief_of(incident: Incident) -> IncidentBrief:
    """The incident as the document of the day and the status show it."""
    return {"id": incident.id, "state": incident.state, "opened": incident.opened, "sentence": incident.sentence}


def _key(id_: str) -> tuple[str, str]:
    return metrics_partition(id_.partition("-")[0]), f"{_PREFIX}{id_}"


def _by_cause(findings: Sequence[Finding]) -> Mapping[str, Sequence[Finding]]:
    found: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        if finding.severity == "incident":
            found[cause_of(finding)].append(finding)
    return found


def _is_told(incident: Incident, cause: str, day: str) -> bool:
    """Whether a finding of a cause on a day belongs to this incident, or was told by it before it was closed."""
    return incident.cause == cause and (not incident.is_closed or incident.updated >= day)


def _of_day(findings: Sequence[Finding], day: str, now: Micros) -> Callable[[Incident], Incident]:
    if findings:
        return lambda incident: go_on(incident, findings, day, now)
    return lambda incident: stay_quiet(incident, day, now)


def _require(by: str, why: str) -> None:
    if not by.strip() or not why.strip():
        raise InvalidInput("say who you are and why; the incident's story keeps both")
