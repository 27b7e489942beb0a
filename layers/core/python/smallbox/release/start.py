"""What the last task of a training run does: a version begins to serve where there is nobody to compare it with."""

from collections.abc import Mapping
from typing import Any, Final

from smallbox.define.project import Project
from smallbox.registry.routing import Routing
from smallbox.registry.store import Registry
from smallbox.registry.version import Version
from smallbox.release.changes import Changes
from smallbox.times import parse_moment

_NEVER_RELEASED: Final = frozenset({"refused", "undecided"})
_WAITING: Final = frozenset({"registered", "champion", "challenger"})


class StartTask:
    """Last task of a training run: the first version becomes champion, a later one waits for its canary.

    The daily review starts the canary: it knows from the labels how long that would take.
    """

    def __init__(self, project: Project, registry: Registry) -> None:
        self._project = project
        self._registry = registry

    def run(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Release ``document["version"]`` where it needs no canary; one that serves already stays where it is.

        Passes the run's document on with ``routing`` and ``release``: ``champion``, ``challenger`` or ``wait``.
        """
        model = self._project.model(document["model"])
        number, now = document["version"], parse_moment(document["as_of"])
        routing = self._registry.routing(model.name)
        if needs_no_canary(self._registry, routing, self._registry.get(model.name, number)):
            Changes(self._registry, model.name, now).make_champion(routing, number, {})
        current = self._registry.routing(model.name)
        routed = None if current is None else current.as_json()
        return {**document, "routing": routed, "release": _release_of(current, number)}


def _release_of(routing: Routing | None, number: int) -> dict[str, str]:
    if routing is not None and number in (routing.champion, routing.challenger):
        return {"action": "champion" if number == routing.champion else "challenger", "why": "it serves"}
    return {
        "action": "wait",
        "why": "the next daily review (`smallbox day`) starts its canary, or says why it does not",
    }


def needs_no_canary(registry: Registry, routing: Routing | None, version: Version) -> bool:
    """Whether a version is the first, or takes other columns than the champion, which then can answer nobody."""
    if routing is None:
        return True
    if version.number in (routing.champion, routing.challenger):
        return False
    return registry.get(version.model, routing.champion).columns != version.columns


def waiting(registry: Registry, model: str, routing: Routing | None) -> Version | None:
    """The newest version that the gate accepted, unless it or a later one has served: an older one is out of date.

    One whose status says that it serves, while the routing does not, was being released when that failed.
    """
    serving = () if routing is None else (routing.champion, routing.challenger)
    released = [version for version in registry.versions(model) if version.status not in _NEVER_RELEASED]
    if not released or released[-1].number in serving or released[-1].status not in _WAITING:
        return None
    return released[-1]
