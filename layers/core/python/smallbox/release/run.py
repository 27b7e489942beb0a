"""What the review's function does: reads how both arms did, and acts on the decision."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from smallbox.define.project import Project
from smallbox.feedback.join import LABELLED
from smallbox.feedback.run import labelled_table
from smallbox.ports import Between, Lake
from smallbox.registry.store import Registry
from smallbox.release.review import ArmResult, Decision, review
from smallbox.release.routing import Routing, promote, roll_back
from smallbox.times import Micros, parse_moment


class ReviewTask:
    """A task of the day: promotes a running canary, rolls it back, or waits."""

    def __init__(self, project: Project, lake: Lake, registry: Registry) -> None:
        self._project = project
        self._lake = lake
        self._registry = registry

    def run(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Pass the day's document on with ``release``: the action, why, and the evidence."""
        model = self._project.model(document["model"])
        now = parse_moment(document["as_of"])
        routing = self._registry.routing(model.name)
        if routing is None or routing.challenger is None:
            return {**document, "release": {"action": "none", "why": "no canary runs"}}
        arms = [
            self._arm(model.name, version, routing.since, now) for version in (routing.champion, routing.challenger)
        ]
        decision = review(model.release, arms[0], arms[1], routing.since, now)
        self._apply(model.name, routing, decision, now)
        found = {"action": decision.action, "why": decision.why, "evidence": dict(decision.evidence)}
        return {**document, "release": {**found, "version": routing.challenger}}

    def _arm(self, model: str, version: int, since: Micros, now: Micros) -> ArmResult:
        columns = ["time", "version", "score", "label", "status", "channel"]
        rows = self._lake.read(labelled_table(model), columns, Between("time", since, now))
        if rows is None:
            return ArmResult(np.empty(0), np.empty(0, bool))
        of_arm = (np.asarray(rows["version"]) == version) & (np.asarray(rows["channel"]) == "online")
        chosen = of_arm & (np.asarray(rows["status"]) == LABELLED)
        labels = np.array([bool(label) for label in rows["label"].to_pylist()], dtype=bool)
        return ArmResult(rows["score"].to_numpy()[chosen], labels[chosen])

    def _apply(self, model: str, routing: Routing, decision: Decision, now: Micros) -> None:
        """Act on the decision; the routing changes last, so that a crash before it is made good by the next try."""
        if decision.action == "wait" or routing.challenger is None:
            return
        challenger, champion = routing.challenger, routing.champion
        details = {"version": challenger, "from": champion, "why": decision.why, "evidence": dict(decision.evidence)}
        self._registry.record(model, now, decision.action, details)
        if decision.action == "promote":
            self._registry.set_status(model, challenger, "champion")
            self._registry.set_status(model, champion, "retired")
            self._registry.route(model, promote(routing, now))
        else:
            self._registry.set_status(model, challenger, "rolled_back")
            self._registry.route(model, roll_back(routing, now))
