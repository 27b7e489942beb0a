"""The last task of a training run: a version without a comparable champion serves at once, others wait for a canary."""

from typing import Final, cast

from smallbox.define.project import Project
from smallbox.documents.training_run import RegisteredRun, ReleasedRun, ReleaseStep, RoutingReport
from smallbox.registry.routing import Routing
from smallbox.registry.store import Registry
from smallbox.registry.version import Version
from smallbox.release.routing_changes import Changes
from smallbox.times import parse_moment

_NEVER_RELEASED: Final = frozenset({"refused", "undecided"})
_WAITING: Final = frozenset({"registered", "champion", "challenger"})


class StartTask:
    """Makes the first version champion; a later one waits until the daily review starts its canary.

    The review starts canaries because it knows from recent labels how long one would take.
    """

    def __init__(self, project: Project, registry: Registry) -> None:
        self._project = project
        self._registry = registry

    def run(self, document: RegisteredRun) -> ReleasedRun:
        """Release the version if it needs no canary; pass the run's document on with ``routing`` and ``release``.

        Idempotent: a version that already serves stays where it is.
        """
        model = self._project.model(document["model"])
        number, now = document["version"], parse_moment(document["as_of"])
        routing = self._registry.routing(model.name)
        if needs_no_canary(self._registry, routing, self._registry.get(model.name, number)):
            Changes(self._registry, model.name, now).make_champion(routing, number, {})
        current = self._registry.routing(model.name)
        routed = None if current is None else cast("RoutingReport", current.as_json())
        return {**document, "routing": routed, "release": _release_of(current, number)}


def _release_of(routing: Routing | None, number: int) -> ReleaseStep:
    if routing is not None and number in (routing.champion, routing.challenger):
        return {"action": "champion" if number == routing.champion else "challenger", "why": "it serves"}
    return {
        "action": "wait",
        "why": "the next daily review (`smallbox day`) starts its canary, or says why it does not",
    }


def needs_no_canary(registry: Registry, routing: Routing | None, version: Version) -> bool:
    """Whether a version is the first, or takes other columns than the champion, which then can answer no request."""
    if routing is None:
        return True
    if version.number in (routing.champion, routing.challenger):
        return False
    return registry.get(version.model, routing.champion).columns != version.columns


def waiting(registry: Registry, model: str, routing: Routing | None) -> Version | None:
    """The newest version that the gate accepted, if it is still to be released; an older one is out of date.

    A version whose status says that it serves, while the routing does not, counts: its release failed halfway.
    """
    serving = () if routing is None else (routing.champion, routing.challenger)
    released = [version for version in registry.versions(model) if version.status not in _NEVER_RELEASED]
    if not released or released[-1].number in serving or released[-1].status not in _WAITING:
        return None
    return released[-1]
