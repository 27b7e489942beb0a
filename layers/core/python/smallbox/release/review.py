"""The review function: starts the canary of a waiting version, or decides about the running one."""

from smallbox.define.model import Model
from smallbox.define.project import Project
from smallbox.documents.daily_run import DayDocument, ReviewStep
from smallbox.features.live_needs import refresh_live_views
from smallbox.features.live_views import LiveViewStore, not_filled
from smallbox.labels.stored import why_labels_wait
from smallbox.ports import Documents, Lake
from smallbox.registry.live_versions import waiting
from smallbox.registry.routing import Routing
from smallbox.registry.signatures import label_of_version, views_of_version
from smallbox.registry.store import Registry
from smallbox.registry.version import Version
from smallbox.release.canary import CanaryDecision, Look, review
from smallbox.release.comparable import outdated, why_incomparable
from smallbox.release.estimate import estimate_canary
from smallbox.release.judged_predictions import arms, traffic
from smallbox.release.routing_changes import UNDECIDED, Changes
from smallbox.times import DAY, Micros, parse_moment


class ReviewTask:
    """A daily task; makes at most one routing change per run."""

    def __init__(
        self, project: Project, lake: Lake, registry: Registry, live: LiveViewStore, metrics: Documents
    ) -> None:
        self._project = project
        self._lake = lake
        self._registry = registry
        self._live = live
        self._metrics = metrics

    def run(self, document: DayDocument, now: Micros) -> DayDocument:
        """Return the day's document with ``release``: the action, the reason, the version and the evidence.

        Afterwards views that no version needs any more may leave.
        """
        refresh_live_views(self._project, self._registry, self._live, now)
        done = self._step(document)
        refresh_live_views(self._project, self._registry, self._live, now)
        return done

    def _step(self, document: DayDocument) -> DayDocument:
        model = self._project.model(document["model"])
        now = parse_moment(document["as_of"])
        routing = self._registry.routing(model.name)
        if routing is not None and routing.challenger is not None:
            return {**document, "release": self._review(model, routing, now)}
        version = waiting(self._registry, model.name, routing)
        if version is None:
            return {**document, "release": {"action": "none", "why": "no canary runs, and no version waits for one"}}
        return {**document, "release": {**self._begin(model, routing, version, now), "version": version.number}}

    def _review(self, model: Model, routing: Routing, now: Micros) -> ReviewStep:
        waits = why_labels_wait(self._metrics, model.name)
        if waits:
            return {"action": "wait", "why": waits, "version": routing.challenger}
        champion = self._registry.get(model.name, routing.champion)
        if champion.is_outdated:
            return {"action": "wait", "why": outdated(champion), "version": routing.challenger}
        label = label_of_version(self._registry, champion)
        look = Look((now - routing.since) / DAY, label.within_micros)
        compared = arms(model.name, label, champion.baseline_outputs, self._lake, routing, now)
        decision = review(model.release, *compared, look)
        self._apply(model.name, routing, decision, now)
        evidence = dict(decision.evidence)
        return {"action": decision.action, "why": decision.why, "evidence": evidence, "version": routing.challenger}

    def _apply(self, model: str, routing: Routing, decision: CanaryDecision, now: Micros) -> None:
        details = {"why": decision.why, "evidence": dict(decision.evidence)}
        changes = Changes(self._registry, model, now)
        if decision.action == "promote":
            changes.promote(routing, details)
        elif decision.action == "roll_back":
            changes.end(routing, "rolled_back", details)
        elif decision.action == "cannot_tell":
            changes.end(routing, UNDECIDED, details)

    def _begin(self, model: Model, routing: Routing | None, version: Version, now: Micros) -> ReviewStep:
        """Start the canary of a waiting version, let it wait with a reason, or mark it as undecided."""
        changes = Changes(self._registry, model.name, now)
        waiting_for = self._live.read().not_ready(views_of_version(self._registry, version))
        if waiting_for:
            return {"action": "wait", "why": not_filled(waiting_for)}
        if routing is None:
            changes.make_champion(None, version.number, {})
            return {"action": "champion", "why": "it is the first version"}
        champion = self._registry.get(model.name, routing.champion)
        waits = why_labels_wait(self._metrics, model.name) or why_incomparable(self._registry, version, champion)
        if waits:
            return {"action": "wait", "why": waits}
        label = label_of_version(self._registry, champion)
        seen = traffic(model.name, label, champion.baseline_outputs, self._lake, now)
        if seen is None:
            return {
                "action": "wait",
                "why": "no prediction has a label whose window is over; a canary could not be judged",
            }
        expected = estimate_canary(model.release, seen)
        if expected.days <= model.release.max_days:
            changes.start(routing, version.number, model.release.canary, {"why": expected.why})
            return {"action": "start", "why": expected.why}
        why = f"{expected.why}; the limit is max_days={model.release.max_days}"
        changes.leave_undecided(version.number, {"why": why})
        return {"action": "cannot_tell", "why": f"{why}; `smallbox release` decides by hand"}
