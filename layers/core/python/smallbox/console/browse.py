"""What the console and the command line show of models, to read."""

from collections.abc import Mapping
from typing import Any

from smallbox.console.status import status_of
from smallbox.define.project import Project
from smallbox.errors import NotFound
from smallbox.monitoring.report import LATEST, metrics_partition, report_key
from smallbox.ports import Documents
from smallbox.registry.store import Registry
from smallbox.times import format_moment


class BrowseTask:
    """Answers ``GET /status``, ``GET /models`` and below."""

    def __init__(self, project: Project, registry: Registry, metrics: Documents) -> None:
        self._project = project
        self._registry = registry
        self._metrics = metrics

    def models(self) -> Mapping[str, Any]:
        """Every model and who serves it."""
        return {"models": [self._model(name) for name in self._project.models]}

    def _model(self, name: str) -> dict[str, Any]:
        routing = self._registry.routing(name)
        if routing is None:
            return {"name": name, "routing": None}
        return {"name": name, "routing": {**routing.as_json(), "since": format_moment(routing.since)}}

    def status(self) -> Mapping[str, Any]:
        """How every model stands; see :func:`status_of`."""
        return {"models": [self._status(name) for name in self._project.models]}

    def _status(self, name: str) -> dict[str, Any]:
        report = self._metrics.get(metrics_partition(name), LATEST)
        registry = self._registry
        return status_of(name, registry.routing(name), registry.versions(name), registry.history(name), report)

    def versions(self, model: str) -> Mapping[str, Any]:
        """The versions of a model, oldest first."""
        self._project.model(model)
        return {"versions": [version.as_json() for version in self._registry.versions(model)]}

    def history(self, model: str) -> Mapping[str, Any]:
        """What happened to a model, oldest first."""
        self._project.model(model)
        return {"history": list(self._registry.history(model))}

    def metrics(self, model: str, day: str) -> Mapping[str, Any]:
        """The checks of an event day.

        Raises:
            NotFound: when the day was not checked.
        """
        self._project.model(model)
        report = self._metrics.get(metrics_partition(model), report_key(day))
        if report is None:
            raise NotFound(f"{day!r} has not been checked for {model!r}", model=model, day=day)
        return report
