"""Manual release changes: a person overrules the gate or a canary, with a name and a reason."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from smallbox.define.model import Model
from smallbox.define.project import Project
from smallbox.errors import Conflict, InvalidInput
from smallbox.registry.routing import Routing
from smallbox.registry.store import Registry
from smallbox.registry.version import Version
from smallbox.release.routing_changes import Changes
from smallbox.times import Micros, asked_moment

ACTIONS: Final = ("start", "promote", "roll-back")


@dataclass(frozen=True, slots=True)
class _Asked:
    """A checked request for a manual change."""

    model: Model
    version: Version
    routing: Routing | None
    details: Mapping[str, Any]


class ByHandTask:
    """Starts a canary, promotes or rolls back a version; the history records who and why."""

    def __init__(self, project: Project, registry: Registry) -> None:
        self._project = project
        self._registry = registry

    def run(self, document: Mapping[str, Any], now: Micros) -> dict[str, Any]:
        """Apply ``document["action"]`` to ``document["version"]`` of ``document["model"]``; return the new routing.

        Raises:
            InvalidInput: unknown action, no name or reason, or ``as_of`` in the future.
            NotFound: no such model or version.
            Conflict: the action is not possible in the version's current state.
        """
        at = asked_moment(document, now)
        asked = self._asked(document)
        changes = Changes(self._registry, asked.model.name, at)
        {"start": _start, "promote": _promote, "roll-back": _roll_back}[document["action"]](changes, asked)
        routing = self._registry.routing(asked.model.name)
        return {"model": asked.model.name, "routing": None if routing is None else routing.as_json()}

    def _asked(self, document: Mapping[str, Any]) -> _Asked:
        if document.get("action") not in ACTIONS:
            raise InvalidInput(f"action must be one of {', '.join(ACTIONS)}, not {document.get('action')!r}")
        who, why = (str(document.get(name, "")).strip() for name in ("who", "why"))
        if not who or not why:
            raise InvalidInput("say who changes the release and why; the history keeps both")
        model = self._project.model(document["model"])
        version = self._registry.get(model.name, document["version"])
        return _Asked(model, version, self._registry.routing(model.name), {"why": why, "who": who})


def _start(changes: Changes, asked: _Asked) -> None:
    """Start a canary, whatever the estimate or an earlier verdict said."""
    number = asked.version.number
    if asked.routing is None:
        raise Conflict(f"there is no champion that version {number} could be compared with; promote it instead")
    if asked.version.columns != list(asked.model.columns.names):
        raise Conflict(f"version {number} takes columns that the definition no longer has; train again")
    if number == asked.routing.champion:
        raise Conflict(f"version {number} is the champion already")
    changes.start(asked.routing, number, asked.model.release.canary, asked.details)


def _promote(changes: Changes, asked: _Asked) -> None:
    """Make the challenger champion, or any version while no canary runs."""
    number, routing = asked.version.number, asked.routing
    if routing is not None and number == routing.challenger:
        changes.promote(routing, asked.details)
        return
    if routing is not None and routing.challenger is not None:
        raise Conflict(f"version {routing.challenger} is in a canary; roll it back before {number} takes over")
    if routing is not None and number == routing.champion:
        raise Conflict(f"version {number} is the champion already")
    if asked.version.columns != list(asked.model.columns.names):
        raise Conflict(f"version {number} takes columns that the definition no longer has; train again")
    changes.make_champion(routing, number, asked.details)


def _roll_back(changes: Changes, asked: _Asked) -> None:
    """End the canary; the champion answers everything again."""
    number, routing = asked.version.number, asked.routing
    if routing is None or number != routing.challenger:
        raise Conflict(f"version {number} is in no canary; to replace a champion, promote the version that it replaced")
    changes.end(routing, "rolled_back", asked.details)
