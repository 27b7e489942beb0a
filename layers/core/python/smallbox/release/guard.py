"""The guard of canaries: looks at how both arms do since the step began, and rolls back a challenger that harms."""

from typing import Any

from smallbox.define.model import Model
from smallbox.define.project import Project
from smallbox.errors import Conflict
from smallbox.ports import CanaryCounters, Notices
from smallbox.registry.routing import Routing
from smallbox.registry.store import Registry
from smallbox.release.harm import HarmVerdict, judge_harm
from smallbox.release.minute_counts import arm_counts
from smallbox.release.routing_changes import Changes
from smallbox.times import Micros

GUARD = "guard"
"""Who changed the routing, in the history."""


class GuardTask:
    """Looks at every running canary; invoked by the alarm of challengers in trouble, and every few minutes.

    An alarm rings once, when trouble begins. The looks that follow are those of the schedule.

    Args:
        project: the models.
        registry: has the routings.
        counters: of the arms of canaries.
        notices: told of each rollback.
    """

    def __init__(self, project: Project, registry: Registry, counters: CanaryCounters, notices: Notices) -> None:
        self._project = project
        self._registry = registry
        self._counters = counters
        self._notices = notices

    def run(self, now: Micros) -> list[dict[str, Any]]:
        """Look at every canary; a model without one costs a single read.

        Returns:
            For each canary the model, the version, the action, and why.
        """
        found = [(self._project.model(name), self._registry.routing(name)) for name in self._project.models]
        return [
            {"model": model.name, "version": routing.challenger, **self._look(model, routing, now)}
            for model, routing in found
            if routing is not None and routing.challenger is not None
        ]

    def _look(self, model: Model, routing: Routing, now: Micros) -> dict[str, Any]:
        verdict = self._verdict(model, routing)
        if not verdict.is_harm:
            return {"action": "none", "why": verdict.why}
        try:
            self._roll_back(model, routing, verdict, now)
        except Conflict as error:
            return {"action": "none", "why": f"{verdict.why}; {error.message}"}
        return {"action": "roll_back", "why": verdict.why}

    def _verdict(self, model: Model, routing: Routing) -> HarmVerdict:
        """Judge what was counted since the step began."""
        canary = model.release.canary
        counters = self._counters.read(model.name, routing.challenger or 0, routing.since)
        steps = 1 if canary is None else len(canary.steps)
        return judge_harm(model.release.guardrails, arm_counts(counters), steps=steps)

    def _roll_back(self, model: Model, routing: Routing, verdict: HarmVerdict, now: Micros) -> None:
        details = {"why": verdict.why, "who": GUARD, "evidence": {"limits": verdict.evidence}}
        Changes(self._registry, model.name, now).end(routing, "rolled_back", details)
        subject = f"{model.name}: version {routing.challenger} was rolled back"
        self._notices.tell(subject, f"{subject}: {verdict.why}")
