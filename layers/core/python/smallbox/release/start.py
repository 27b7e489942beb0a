"""The last task of a training run: the first version serves at once, a later one begins its release or waits for it."""

from typing import Final, cast

from smallbox.define.model import Model
from smallbox.define.project import Project
from smallbox.documents.training_run import RegisteredRun, ReleasedRun, ReleaseStep, RoutingReport
from smallbox.errors import Conflict
from smallbox.features.live_needs import refresh_live_views
from smallbox.features.live_views import LiveViewStore, not_filled
from smallbox.registry.routing import Routing
from smallbox.registry.signatures import views_of_version
from smallbox.registry.store import Registry
from smallbox.release.comparable import why_incomparable
from smallbox.release.ladder import begin_release
from smallbox.release.routing_changes import Changes
from smallbox.times import Micros, parse_moment

_REVIEW_NEXT: Final = "the next daily review (`smallbox day`) begins its release, or says why it does not"
_SHADOWED: Final = "its shadow runs: it scores the requests that the champion answers"


class StartTask:
    """Makes the first version champion, and begins the shadow of a later one if no other release runs.

    A version without a shadow waits for the daily review: what lets callers see it starts by day, not by a training.
    """

    def __init__(self, project: Project, registry: Registry, live: LiveViewStore) -> None:
        self._project = project
        self._registry = registry
        self._live = live

    def run(self, document: RegisteredRun, now: Micros) -> ReleasedRun:
        """Release the first version; pass the run's document on with ``routing`` and ``release``.

        Idempotent: a version that already serves, or is in a release, stays where it is.
        """
        model = self._project.model(document["model"])
        number, at = document["version"], parse_moment(document["as_of"])
        live = refresh_live_views(self._project, self._registry, self._live, now)
        views = views_of_version(self._registry, self._registry.get(model.name, number))
        waiting_for = live.not_ready(views) or live.not_kept(views, now)
        if self._registry.routing(model.name) is None and not waiting_for:
            Changes(self._registry, model.name, at).make_champion(None, number, {})
        step = self._step(model, self._registry.routing(model.name), number, waiting_for, at)
        current = self._registry.routing(model.name)
        routed = None if current is None else cast("RoutingReport", current.as_json())
        return {**document, "routing": routed, "release": step}

    def _step(
        self, model: Model, routing: Routing | None, number: int, waiting_for: list[str], at: Micros
    ) -> ReleaseStep:
        if routing is not None and number in routing.versions:
            return {"action": "champion" if number == routing.champion else "challenger", "why": "it serves"}
        if routing is not None and number == routing.shadow:
            return {"action": "shadow", "why": _SHADOWED}
        why = not_filled(waiting_for) if waiting_for else self._why_incomparable(model.name, routing, number)
        if why or routing is None or model.release.shadow is None or routing.candidate is not None:
            return {"action": "wait", "why": why or _REVIEW_NEXT}
        try:
            begin_release(Changes(self._registry, model.name, at), model.release, routing, number, {})
        except Conflict as error:
            return {"action": "wait", "why": str(error)}
        return {"action": "shadow", "why": _SHADOWED}

    def _why_incomparable(self, model: str, routing: Routing | None, number: int) -> str:
        if routing is None:
            return ""
        version, champion = (self._registry.get(model, one) for one in (number, routing.champion))
        return why_incomparable(self._registry, version, champion)
