"""What the last task of a training run does: the version begins to serve."""

from collections.abc import Mapping
from typing import Any

from smallbox.define.model import Model
from smallbox.define.project import Project
from smallbox.registry.store import Registry
from smallbox.registry.version import Status
from smallbox.release.routing import Routing, first_champion, start_canary, take_over
from smallbox.times import Micros, parse_moment


class StartTask:
    """Last task of a training run: the first version becomes champion, a later one goes into a canary."""

    def __init__(self, project: Project, registry: Registry) -> None:
        self._project = project
        self._registry = registry

    def run(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Release ``document["version"]``; one that serves already stays where it is.

        A champion that takes other columns, since the definition has changed, answers nobody; the version takes over.

        Raises:
            Conflict: when another canary runs.
        """
        model = self._project.model(document["model"])
        number, now = document["version"], parse_moment(document["as_of"])
        routing = self._registry.routing(model.name)
        if routing is None:
            self._change(model.name, first_champion(number, now), "champion", number, now)
        elif number not in (routing.champion, routing.challenger):
            self._replace(model, routing, number, now)
        current = self._registry.routing(model.name)
        return {**document, "routing": None if current is None else current.as_json()}

    def _replace(self, model: Model, routing: Routing, number: int, now: Micros) -> None:
        champion, version = (self._registry.get(model.name, n) for n in (routing.champion, number))
        if champion.columns != version.columns:
            self._registry.set_status(model.name, champion.number, "retired")
            self._change(model.name, take_over(routing, number, now), "champion", number, now)
        else:
            changed = start_canary(routing, number, model.release.canary, now)
            self._change(model.name, changed, "challenger", number, now)

    def _change(self, model: str, routing: Routing, status: Status, number: int, now: Micros) -> None:
        self._registry.record(model, now, status, {"version": number, "share": routing.share})
        self._registry.set_status(model, number, status)
        self._registry.route(model, routing)
