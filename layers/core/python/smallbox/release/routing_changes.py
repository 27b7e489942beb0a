"""Changes of the routing: write history first, then statuses, routing last, so that a retry repairs a crash.

Only the routing decides who answers, and it is one conditional write.
"""

from collections.abc import Mapping
from typing import Any, Final

from smallbox.define.release_rules import Canary
from smallbox.errors import Conflict
from smallbox.registry.routing import (
    Routing,
    end_release,
    first_champion,
    forget_previous,
    go_back,
    hold,
    next_step,
    promote,
    start_canary,
    start_shadow,
    take_over,
)
from smallbox.registry.store import Registry
from smallbox.registry.version import Status
from smallbox.times import Micros

UNDECIDED: Final = "undecided"
"""An event and a version status: the release could not tell whether the version is good."""


class Changes:
    """Changes the routing of a model. ``details`` of each change go into the model's history.

    Optimistic concurrency: each change starts from a routing read earlier and raises ``Conflict`` if it has changed.
    Before its first write it looks whether it has: a late status would make a version wait for its release again that
    the other change has ended.
    """

    def __init__(self, registry: Registry, model: str, now: Micros) -> None:
        self._registry = registry
        self._model = model
        self._now = now

    def make_champion(self, routing: Routing | None, number: int, details: Mapping[str, Any]) -> None:
        """Route all requests to the version at once: it is the first, its ladder has no rung, or a person wants it."""
        self._record(routing, "champion", number, {"share": 0.0, **details})
        if routing is None:
            self._set(number, "champion", first_champion(number, self._now))
            return
        changed = take_over(routing, number, self._now)
        for served in routing.versions:
            if served not in (number, *changed.versions):
                self._registry.set_status(self._model, served, "retired")
        self._set(number, "champion", changed)

    def go_back(self, routing: Routing, details: Mapping[str, Any]) -> None:
        """Make the champion before this one champion again; ``Conflict`` if there was none, or a canary runs."""
        changed = go_back(routing, self._now)
        self._record(routing, "roll_back", routing.champion, {"to": changed.champion, **details})
        self._record(routing, "champion", changed.champion, details)
        self._registry.set_status(self._model, routing.champion, "rolled_back")
        self._set(changed.champion, "champion", changed)

    def shadow(self, routing: Routing, number: int, details: Mapping[str, Any]) -> None:
        """Begin the release of a version with a shadow; ``Conflict`` if another release runs."""
        changed = start_shadow(routing, number, self._now)
        self._record(routing, "shadow", number, details)
        self._set(number, "shadow", changed)

    def start(self, routing: Routing, number: int, canary: Canary, details: Mapping[str, Any]) -> None:
        """Start a canary with the version as challenger; ``Conflict`` if another release runs, or an experiment."""
        share = canary.parsed[0].share
        changed = start_canary(routing, number, share, self._now, canary.unit or "")
        self._record(routing, "challenger", number, {"share": share, "unit": canary.unit, **details})
        self._set(number, "challenger", changed)

    def step(self, routing: Routing, share: float, details: Mapping[str, Any]) -> None:
        """Let the challenger answer a larger share; ``Conflict`` if no canary runs."""
        changed = next_step(routing, share, self._now)
        self._record(routing, "step", routing.version_of("challenger"), {"share": share, **details})
        self._registry.route(self._model, changed)

    def promote(self, routing: Routing, details: Mapping[str, Any]) -> None:
        """Make the version of the running release champion; ``Conflict`` if no release runs."""
        changed = promote(routing, self._now)
        self._record(routing, "promote", changed.champion, {"from": routing.champion, **details})
        self._registry.set_status(self._model, changed.champion, "champion")
        self._set(routing.champion, "retired", changed)

    def end(self, routing: Routing, status: Status, details: Mapping[str, Any]) -> None:
        """End the release with its version rolled back or undecided; ``Conflict`` if no release runs."""
        changed, rung = end_release(routing, self._now), "shadow" if routing.challenger is None else "canary"
        number = routing.version_of("challenger") if routing.shadow is None else routing.shadow
        event = UNDECIDED if status == UNDECIDED else "roll_back"
        self._record(routing, event, number, {"from": routing.champion, "rung": rung, **details})
        self._set(number, status, changed)

    def hold(self, routing: Routing, details: Mapping[str, Any], *, on: bool = True) -> None:
        """Hold the release where it is, or let it move on again; ``Conflict`` if no release runs."""
        changed = hold(routing, str(details["why"]) if on else "")
        self._record(routing, "hold" if on else "resume", routing.candidate or 0, details)
        self._registry.route(self._model, changed)

    def retire(self, routing: Routing | None, number: int, details: Mapping[str, Any]) -> None:
        """Give up a version that answers no request: it is not live any more, and what only it reads may go."""
        self._record(routing, "retired", number, details)
        self._registry.set_status(self._model, number, "retired")
        if routing is not None and number == routing.previous:
            self._registry.route(self._model, forget_previous(routing))

    def _record(self, routing: Routing | None, event: str, number: int, details: Mapping[str, Any]) -> None:
        now = self._registry.routing(self._model)
        if (now and now.revision) != (routing and routing.revision):
            raise Conflict(f"another change of the routing of {self._model} came first; look at it, then try again")
        self._registry.record(self._model, self._now, event, {"version": number, **details})

    def _set(self, number: int, status: Status, routing: Routing) -> None:
        self._registry.set_status(self._model, number, status)
        self._registry.route(self._model, routing)
