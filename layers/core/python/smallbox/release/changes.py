"""The changes of who serves: history first, then statuses, the routing last, so that a second try mends a crash."""

from collections.abc import Mapping
from typing import Any, Final

from smallbox.registry.routing import Routing, first_champion, promote, roll_back, start_canary, take_over
from smallbox.registry.store import Registry
from smallbox.registry.version import Status
from smallbox.times import Micros

UNDECIDED: Final = "undecided"
"""The event in a model's history, and the status of a version, that says that nobody could tell whether it is good."""


class Changes:
    """Changes the routing of a model at a moment. Each change takes the details that the history keeps of it.

    Every change is made from a routing that was read before; one that somebody changed meanwhile is a ``Conflict``.
    """

    def __init__(self, registry: Registry, model: str, now: Micros) -> None:
        self._registry = registry
        self._model = model
        self._now = now

    def make_champion(self, routing: Routing | None, number: int, details: Mapping[str, Any]) -> None:
        """The version answers everything at once: it is the first, or nobody else can answer."""
        self._record("champion", number, {"share": 0.0, **details})
        if routing is None:
            self._set(number, "champion", first_champion(number, self._now))
            return
        for served in (routing.champion, routing.challenger):
            if served not in (None, number):
                self._registry.set_status(self._model, served, "retired")
        self._set(number, "champion", take_over(routing, number, self._now))

    def start(self, routing: Routing, number: int, share: float, details: Mapping[str, Any]) -> None:
        """The version becomes challenger in a canary; ``Conflict`` when another runs."""
        changed = start_canary(routing, number, share, self._now)
        self._record("challenger", number, {"share": share, **details})
        self._set(number, "challenger", changed)

    def promote(self, routing: Routing, details: Mapping[str, Any]) -> None:
        """The challenger becomes champion; ``Conflict`` when no canary runs."""
        changed = promote(routing, self._now)
        self._record("promote", changed.champion, {"from": routing.champion, **details})
        self._registry.set_status(self._model, changed.champion, "champion")
        self._set(routing.champion, "retired", changed)

    def end(self, routing: Routing, status: Status, details: Mapping[str, Any]) -> None:
        """The challenger leaves, rolled back or undecided; ``Conflict`` when no canary runs."""
        changed, number = roll_back(routing, self._now), routing.version_of("challenger")
        event = UNDECIDED if status == UNDECIDED else "roll_back"
        self._record(event, number, {"from": routing.champion, **details})
        self._set(number, status, changed)

    def leave_undecided(self, number: int, details: Mapping[str, Any]) -> None:
        """The version does not begin to serve, and waits for nothing."""
        self._record(UNDECIDED, number, details)
        self._registry.set_status(self._model, number, UNDECIDED)

    def _record(self, event: str, number: int, details: Mapping[str, Any]) -> None:
        self._registry.record(self._model, self._now, event, {"version": number, **details})

    def _set(self, number: int, status: Status, routing: Routing) -> None:
        self._registry.set_status(self._model, number, status)
        self._registry.route(self._model, routing)
