"""What the last task of a training run does: the version begins to serve."""

from collections.abc import Mapping
from typing import Any

from smallbox.define.project import Project
from smallbox.registry.store import Registry
from smallbox.registry.version import Status
from smallbox.release.routing import Routing, first_champion, start_canary
from smallbox.times import Micros, parse_moment


class StartTask:
    """Last task of a training run: the first version becomes champion, a later one goes into a canary."""

    def __init__(self, project: Project, registry: Registry) -> None:
        self._project = project
        self._registry = registry

    def run(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Release ``document["version"]``; one that serves already stays where it is.

        Raises:
            Conflict: when another canary runs.
        """
        model = self._project.model(document["model"])
        number, now = document["version"], parse_moment(document["as_of"])
        routing = self._registry.routing(model.name)
        if routing is None:
            self._change(model.name, first_champion(number, now), "champion", number, now)
        elif number not in (routing.champion, routing.challenger):
            changed = start_canary(routing, number, model.release.canary, now)
            self._change(model.name, changed, "challenger", number, now)
        current = self._registry.routing(model.name)
        return {**document, "routing": None if current is None else current.as_json()}

    def _change(self, model: str, routing: Routing, status: Status, number: int, now: Micros) -> None:
        self._registry.record(model, now, status, {"version": number, "share": routing.share})
        self._registry.set_status(model, number, status)
        self._registry.route(model, routing)
