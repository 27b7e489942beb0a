"""The review function: begins the release of a waiting version, or moves the running one up or down its ladder."""

from smallbox.define.model import Model
from smallbox.define.project import Project
from smallbox.documents.daily_run import DayDocument, ReviewAction, ReviewStep
from smallbox.errors import Conflict
from smallbox.features.live_needs import refresh_live_views
from smallbox.features.live_views import LiveViewStore, not_filled
from smallbox.labels.stored import why_labels_wait
from smallbox.ports import Documents, Lake
from smallbox.registry.live_versions import older_waiting, waiting
from smallbox.registry.routing import Routing
from smallbox.registry.signatures import views_of_version
from smallbox.registry.store import Registry
from smallbox.registry.version import Version
from smallbox.release.canary_look import CanaryLook
from smallbox.release.comparable import outdated, why_incomparable
from smallbox.release.ladder import after_shadow, begin_release, has_run_out, step_up, still_bakes
from smallbox.release.looks import Looks
from smallbox.release.routing_changes import UNDECIDED, Changes
from smallbox.release.shadow_days import ShadowDays, level_set_of, paired_of
from smallbox.release.shadow_verdict import ShadowVerdict, judge_shadow
from smallbox.times import DAY, Micros, parse_moment


class ReviewTask:
    """A daily task; makes at most one routing change per run."""

    def __init__(
        self, project: Project, lake: Lake, registry: Registry, live: LiveViewStore, metrics: Documents
    ) -> None:
        self._project = project
        self._registry = registry
        self._live = live
        self._metrics = metrics
        self._look = CanaryLook(lake, registry, metrics)

    def run(self, document: DayDocument, now: Micros) -> DayDocument:
        """Return the day's document with ``release``: the action, the reason, the version and the evidence.

        Afterwards views that no version needs any more may leave.
        """
        refresh_live_views(self._project, self._registry, self._live, now)
        done: DayDocument = {**document, "release": self._step(document)}
        refresh_live_views(self._project, self._registry, self._live, now)
        return done

    def _step(self, document: DayDocument) -> ReviewStep:
        model = self._project.model(document["model"])
        now = parse_moment(document["as_of"])
        routing = self._registry.routing(model.name)
        if routing is not None and routing.candidate is not None:
            step: ReviewStep = {"version": routing.candidate, **self._review(model, routing, now)}
            rung = "shadow" if routing.challenger is None else "canary"
            look = {"rung": rung, "share": routing.share, "evidence": {}, **step}
            Looks(self._metrics, model.name, routing.candidate).keep(now, look)
            return step
        version = waiting(self._registry, model.name, routing)
        if version is None:
            return {"action": "none", "why": "no release runs, and no version waits for one"}
        return {"version": version.number, **self._begin(model, routing, version, now)}

    def _review(self, model: Model, routing: Routing, now: Micros) -> ReviewStep:
        champion = self._registry.get(model.name, routing.champion)
        if champion.is_outdated:
            return {"action": "wait", "why": outdated(champion)}
        try:
            return (self._shadow if routing.challenger is None else self._canary)(model, routing, now)
        except Conflict as error:
            return {"action": "wait", "why": str(error)}

    def _shadow(self, model: Model, routing: Routing, now: Micros) -> ReviewStep:
        if routing.held:
            return {"action": "wait", "why": _held(routing)}
        number, rule = routing.candidate or 0, model.release.shadow
        changes = Changes(self._registry, model.name, now)
        stops = self._why_incomparable(model.name, routing)
        if stops:
            changes.end(routing, UNDECIDED, {"why": stops})
            return {"action": "cannot_tell", "why": stops}
        if rule is None:
            up = after_shadow(changes, model.release, routing, number, {}, "the definition has no shadow any more")
            return {"action": up.action, "why": up.why}
        waits = why_labels_wait(self._metrics, model.name)
        if waits:
            return {"action": "wait", "why": waits}
        days = ShadowDays(self._metrics, model.name, number).of(routing.champion)
        verdict = judge_shadow(rule, paired_of(days), (now - routing.began) / DAY, level_set_of(days))
        action, why = self._after_verdict(changes, model, routing, verdict)
        return {"action": action, "why": why, "evidence": dict(verdict.evidence)}

    def _why_incomparable(self, model: str, routing: Routing) -> str:
        """Why the shadow cannot go on: a person has promoted a version of another label meanwhile."""
        candidate, champion = (self._registry.get(model, one) for one in (routing.candidate or 0, routing.champion))
        return why_incomparable(self._registry, candidate, champion)

    def _after_verdict(
        self, changes: Changes, model: Model, routing: Routing, verdict: ShadowVerdict
    ) -> tuple[ReviewAction, str]:
        told = {"why": verdict.why, "evidence": dict(verdict.evidence), "verdict": verdict.action}
        if verdict.action in {"better", "not_worse"}:
            number = routing.candidate or 0
            up = after_shadow(changes, model.release, routing, number, told, verdict.why)
            return up.action, up.why
        if verdict.action == "worse":
            changes.end(routing, "rolled_back", told)
            return "roll_back", verdict.why
        if verdict.action == "cannot_tell":
            changes.end(routing, UNDECIDED, told)
            return "cannot_tell", verdict.why
        return "wait", verdict.why

    def _canary(self, model: Model, routing: Routing, now: Micros) -> ReviewStep:
        changes, rule = Changes(self._registry, model.name, now), model.release.canary
        verdict = self._look.at(model, routing, now)
        evidence = {"limits": verdict.evidence}
        if verdict.is_harm:
            changes.end(routing, "rolled_back", {"why": verdict.why, "evidence": evidence})
            return {"action": "roll_back", "why": verdict.why, "evidence": evidence}
        waits = _held(routing) if routing.held else why_labels_wait(self._metrics, model.name)
        if waits:
            return {"action": "wait", "why": waits, "evidence": evidence}
        if rule is None:
            why = "the definition has no canary any more, and none of its limits is exceeded"
            changes.promote(routing, {"why": why, "evidence": evidence})
            return {"action": "promote", "why": why, "evidence": evidence}
        bakes = still_bakes(rule, routing, now)
        if not bakes and verdict.can_tell:
            up = step_up(changes, rule, routing, {"evidence": evidence})
            return {"action": up.action, "why": up.why, "evidence": evidence}
        if has_run_out(rule, routing, now):
            why = f"{rule.max_days} days after its step had baked: {verdict.why}"
            changes.end(routing, UNDECIDED, {"why": why, "evidence": evidence})
            return {"action": "cannot_tell", "why": why, "evidence": evidence}
        return {"action": "wait", "why": bakes or verdict.why, "evidence": evidence}

    def _begin(self, model: Model, routing: Routing | None, version: Version, now: Micros) -> ReviewStep:
        """Begin the release of a waiting version, or let it wait with a reason; older ones that waited are given up."""
        changes = Changes(self._registry, model.name, now)
        waiting_for = self._live.read().not_ready(views_of_version(self._registry, version))
        if waiting_for:
            return {"action": "wait", "why": not_filled(waiting_for)}
        if routing is None:
            changes.make_champion(None, version.number, {})
            return {"action": "champion", "why": "it is the first version"}
        waits = why_incomparable(self._registry, version, self._registry.get(model.name, routing.champion))
        if waits:
            return {"action": "wait", "why": waits}
        try:
            for older in older_waiting(self._registry, model.name, version, routing):
                changes.retire(routing, older.number, {"why": f"version {version.number} is newer and waited as well"})
            up = begin_release(changes, model.release, routing, version.number, {})
        except Conflict as error:
            return {"action": "wait", "why": str(error)}
        return {"action": up.action, "why": up.why}


def _held(routing: Routing) -> str:
    return f"a person holds the release: {routing.held}"
