"""The read-only HTTP API of models, for the console and the command line."""

from collections.abc import Mapping, Sequence
from typing import Any

from smallbox.console.status import status_of
from smallbox.define.frozen import signature_digest
from smallbox.define.project import Project
from smallbox.documents.deployed_contracts import ContractsSnapshot
from smallbox.errors import NotFound
from smallbox.monitoring.incidents import IncidentBook, brief_of
from smallbox.monitoring.report import LATEST, metrics_partition, report_key
from smallbox.ports import Documents
from smallbox.registry.contracts import Contracts
from smallbox.registry.live_sources import LiveSources
from smallbox.registry.live_versions import readers
from smallbox.registry.store import Registry
from smallbox.registry.version import Version
from smallbox.retraining.incident_story import told_to_the_end
from smallbox.times import format_moment


class BrowseTask:
    """Answers ``GET /status``, ``GET /contracts``, ``GET /models`` and below."""

    def __init__(
        self, project: Project, registry: Registry, contracts: Contracts, live: LiveSources, metrics: Documents
    ) -> None:
        self._project = project
        self._registry = registry
        self._contracts = contracts
        self._live = live
        self._metrics = metrics
        self._book = IncidentBook(metrics)

    def models(self) -> Mapping[str, Any]:
        """All models and their routing."""
        return {"models": [self._model(name) for name in self._project.models]}

    def _model(self, name: str) -> dict[str, Any]:
        routing = self._registry.routing(name)
        if routing is None:
            return {"name": name, "routing": None}
        return {"name": name, "routing": {**routing.as_json(), "since": format_moment(routing.since)}}

    def status(self) -> Mapping[str, Any]:
        """The status of every model, see :func:`status_of`, and the live views."""
        return {"models": [self._status(name) for name in self._project.models], "views": self._live.standing()}

    def _status(self, name: str) -> dict[str, Any]:
        report = self._metrics.get(metrics_partition(name), LATEST)
        registry, versions = self._registry, self._registry.versions(name)
        routing = registry.routing(name)
        return {
            **status_of(name, routing, versions, registry.history(name), report),
            "incidents": [brief_of(incident) for incident in self._book.unresolved(name)],
            "is_changed": routing is not None and not self._fits(versions, name, routing.champion),
            "trained_version": self._trained(versions, name),
        }

    def _trained(self, versions: Sequence[Version], name: str) -> int | None:
        """The newest accepted version that was trained with the deployed definition."""
        signature = signature_digest(self._project.model(name))
        accepted = (v.number for v in versions if v.fits(signature) and v.status not in {"refused", "undecided"})
        return max(accepted, default=None)

    def _fits(self, versions: Sequence[Version], name: str, champion: int) -> bool:
        """Whether the champion was trained with the deployed definition."""
        signature = signature_digest(self._project.model(name))
        return any(version.number == champion and version.fits(signature) for version in versions)

    def contracts(self) -> ContractsSnapshot:
        """The deployed contracts, and who reads them: all that the next deployment is checked against."""
        return self._contracts.snapshot(readers(self._registry, self._project.models))

    def versions(self, model: str) -> Mapping[str, Any]:
        """The versions of a model, oldest first."""
        self._project.model(model)
        return {"versions": [version.as_json() for version in self._registry.versions(model)]}

    def history(self, model: str) -> Mapping[str, Any]:
        """The events of a model, oldest first."""
        self._project.model(model)
        return {"history": list(self._registry.history(model))}

    def metrics(self, model: str, day: str) -> Mapping[str, Any]:
        """The monitoring report of an event day.

        Raises:
            NotFound: if there is no report of the day.
        """
        self._project.model(model)
        report = self._metrics.get(metrics_partition(model), report_key(day))
        if report is None:
            raise NotFound(f"there is no monitoring report of {model!r} for day {day!r}", model=model, day=day)
        return report

    def incidents(self, model: str) -> Mapping[str, Any]:
        """The incidents of a model, oldest first, each with what followed its trainings."""
        self._project.model(model)
        history = self._registry.history(model)
        found = [told_to_the_end(incident, history).as_json() for incident in self._book.incidents(model)]
        return {"incidents": found}
