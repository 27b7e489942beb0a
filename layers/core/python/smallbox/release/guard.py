"""The guard of canaries: by what both arms answered so far it rolls back a challenger, or takes it a step up."""

from typing import Any

from smallbox.define.model import Model
from smallbox.define.project import Project
from smallbox.errors import Conflict
from smallbox.labels.stored import why_labels_wait
from smallbox.ports import Documents
from smallbox.registry.routing import Routing
from smallbox.registry.store import Registry
from smallbox.release.harm import HarmVerdict, judge_harm
from smallbox.release.ladder import next_share, step_up, still_bakes
from smallbox.release.minute_counts import arm_counts
from smallbox.release.routing_changes import Changes
from smallbox.release_ports import CanaryCounters, Notices
from smallbox.times import Micros

GUARD = "guard"
"""Who changed the routing, in the history."""


class GuardTask:
    """Looks at every running canary; invoked by the alarm of challengers in trouble, and every few minutes.

    An alarm rings once, when trouble begins. The looks that follow are those of the schedule.

    Args:
        project: the models.
        registry: has the routings.
        metrics: has the state of the label breaker.
        counters: of the arms of canaries.
        notices: told of each rollback.
    """

    def __init__(
        self, project: Project, registry: Registry, metrics: Documents, counters: CanaryCounters, notices: Notices
    ) -> None:
        self._project = project
        self._metrics = metrics
        self._registry = registry
        self._counters = counters
        self._notices = notices

    def run(self, now: Micros, *, climbs: bool) -> list[dict[str, Any]]:
        """Look at every canary; a model without one costs a single read.

        The last step ends with the daily review, which knows labels and shadows too.

        Args:
            now: the present.
            climbs: whether a canary whose step has baked goes on to its next step.

        Returns:
            For each canary the model, the version, the action, and why.
        """
        found = [(self._project.model(name), self._registry.routing(name)) for name in self._project.models]
        return [
            {"model": model.name, "version": routing.challenger, **self._look(model, routing, now, climbs=climbs)}
            for model, routing in found
            if routing is not None and routing.challenger is not None
        ]

    def _look(self, model: Model, routing: Routing, now: Micros, *, climbs: bool) -> dict[str, Any]:
        verdict = self._verdict(model, routing)
        try:
            if not verdict.is_harm:
                return self._step(model, routing, verdict, now) if climbs else {"action": "none", "why": verdict.why}
            self._roll_back(model, routing, verdict, now)
        except Conflict as error:
            return {"action": "none", "why": f"{verdict.why}; {error.message}"}
        return {"action": "roll_back", "why": verdict.why}

    def _step(self, model: Model, routing: Routing, verdict: HarmVerdict, now: Micros) -> dict[str, Any]:
        rule = model.release.canary
        if rule is None or routing.held or next_share(rule, routing) is None or not verdict.can_tell:
            return {"action": "none", "why": verdict.why}
        waits = still_bakes(rule, routing, now) or why_labels_wait(self._metrics, model.name)
        if waits:
            return {"action": "none", "why": waits}
        details = {"who": GUARD, "evidence": {"limits": verdict.evidence}}
        up = step_up(Changes(self._registry, model.name, now), rule, routing, details)
        return {"action": up.action, "why": up.why}

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
