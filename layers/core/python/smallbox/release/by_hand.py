"""Manual release changes: a person overrules the gate or a rung of the ladder, with a name and a reason."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from smallbox.define.model import Model
from smallbox.define.project import Project
from smallbox.errors import Conflict, InvalidInput
from smallbox.features.live_needs import refresh_live_views
from smallbox.features.live_views import LiveViewStore
from smallbox.registry.live_versions import live_versions
from smallbox.registry.routing import Routing
from smallbox.registry.signatures import label_of_version
from smallbox.registry.store import Registry
from smallbox.registry.version import Version
from smallbox.release.answerable import check_can_answer
from smallbox.release.ladder import begin_release
from smallbox.release.looks import RUNGS
from smallbox.release.routing_changes import Changes
from smallbox.times import Micros, asked_moment, format_moment

ACTIONS: Final = ("start", "promote", "roll-back", "hold", "resume", "retire")
"""The changes that a person may ask for."""

LONGEST_WHY: Final = 1_000
"""So many characters a reason has at most: the routing keeps that of a hold, and each answer reads the routing."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A checked request for a manual change, and the present."""

    now: Micros
    model: Model
    version: Version
    routing: Routing | None
    rung: str | None
    details: Mapping[str, Any]


class ByHandTask:
    """Starts, holds or ends a release, and makes a version champion; the history records who and why."""

    def __init__(self, project: Project, registry: Registry, live: LiveViewStore) -> None:
        self._project = project
        self._registry = registry
        self._live = live

    def run(self, document: Mapping[str, Any], now: Micros) -> dict[str, Any]:
        """Apply ``document["action"]`` to ``document["version"]`` of ``document["model"]``; return the new routing.

        ``start`` begins a release on ``document["rung"]``, or takes the version in the shadow up to its canary. The
        actions on a running release need no version. ``roll-back`` ends the canary if one runs, else the champion
        before takes over again; a shadow, which answers nobody, ends when its version is named. ``hold`` keeps a
        release where it is until ``resume``; harm still ends a canary, and a shadow is not judged.

        Raises:
            InvalidInput: unknown action, no version, name or reason, or ``as_of`` in the future.
            NotFound: no such model or version.
            Conflict: the action is not possible in the version's current state.
            NotReady: the views of the version that is to answer are not kept, or not filled yet.
        """
        at = asked_moment(document, now)
        asked = self._asked(document, now)
        changes = Changes(self._registry, asked.model.name, at)
        refresh_live_views(self._project, self._registry, self._live, now)
        self._changes()[document["action"]](changes, asked)
        refresh_live_views(self._project, self._registry, self._live, now)
        routing = self._registry.routing(asked.model.name)
        return {"model": asked.model.name, "routing": None if routing is None else _for_people(routing)}

    def _changes(self) -> Mapping[str, Callable[[Changes, _Asked], None]]:
        return {
            "start": self._start,
            "promote": self._promote,
            "roll-back": self._roll_back,
            "hold": self._hold,
            "resume": self._resume,
            "retire": self._retire,
        }

    def _asked(self, document: Mapping[str, Any], now: Micros) -> _Asked:
        if document.get("action") not in ACTIONS:
            raise InvalidInput(f"action must be one of {', '.join(ACTIONS)}, not {document.get('action')!r}")
        who, why = (str(document.get(name) or "").strip() for name in ("who", "why"))
        if not who or not why:
            raise InvalidInput("say who changes the release and why; the history keeps both")
        if len(why) > LONGEST_WHY:
            raise InvalidInput(f"why has {len(why)} characters; at most {LONGEST_WHY} are kept, so write it shorter")
        if document.get("rung") not in (None, *RUNGS):
            raise InvalidInput(f"rung must be one of {', '.join(RUNGS)}, not {document['rung']!r}")
        model = self._project.model(document["model"])
        routing = self._registry.routing(model.name)
        number = document.get("version") or _default_version(document["action"], routing)
        version = self._registry.get(model.name, number)
        return _Asked(now, model, version, routing, document.get("rung"), {"why": why, "who": who})

    def _check_can_answer(self, version: Version, now: Micros) -> None:
        check_can_answer(self._project, self._registry, self._live, version, now)

    def _check_comparable(self, asked: "_Asked", champion: int) -> None:
        theirs = label_of_version(self._registry, self._registry.get(asked.model.name, champion))
        if label_of_version(self._registry, asked.version) != theirs:
            raise Conflict(
                f"version {asked.version.number} predicts another label than version {champion}, so no shadow can "
                "compare them; promote it instead"
            )

    def _start(self, changes: Changes, asked: _Asked) -> None:
        """Begin a release, whatever an earlier verdict said; or take the version in the shadow up to its canary."""
        number, routing, rule = asked.version.number, asked.routing, asked.model.release
        if routing is None:
            raise Conflict(f"there is no champion that version {number} could be compared with; promote it instead")
        if number == routing.champion:
            raise Conflict(f"version {number} is the champion already")
        if number == routing.challenger:
            raise Conflict(f"version {number} is in a canary already")
        self._check_comparable(asked, routing.champion)
        self._check_can_answer(asked.version, asked.now)
        if asked.rung == "canary" or number == routing.shadow:
            if rule.canary is None:
                raise Conflict(f"the definition has no canary; promote version {number} instead")
            left_out = {} if number == routing.shadow else {"left_out": ["shadow"]}
            changes.start(routing, number, rule.canary, {**asked.details, **left_out})
            return
        if asked.rung == "shadow" and rule.shadow is None:
            raise Conflict("the definition has no shadow; start the canary, or promote the version")
        begin_release(changes, rule, routing, number, asked.details)

    def _promote(self, changes: Changes, asked: _Asked) -> None:
        """Make the version of the running release champion, or any version while no canary runs."""
        number, routing = asked.version.number, asked.routing
        if routing is not None and number == routing.candidate:
            self._check_can_answer(asked.version, asked.now)
            changes.promote(routing, asked.details)
            return
        if routing is not None and routing.challenger is not None:
            raise Conflict(f"version {routing.challenger} is in a canary; roll it back before {number} takes over")
        if routing is not None and number == routing.champion:
            raise Conflict(f"version {number} is the champion already")
        self._check_can_answer(asked.version, asked.now)
        changes.make_champion(routing, number, asked.details)

    def _roll_back(self, changes: Changes, asked: _Asked) -> None:
        """End the running release, or make the champion before this one champion again."""
        number, routing = asked.version.number, asked.routing
        if routing is not None and number == routing.candidate:
            changes.end(routing, "rolled_back", asked.details)
            return
        if routing is None or number != routing.champion:
            raise Conflict(f"version {number} answers no request; there is nothing to roll back")
        if routing.previous is not None:
            self._check_to_go_back_to(self._registry.get(asked.model.name, routing.previous), asked.now)
        changes.go_back(routing, asked.details)

    def _hold(self, changes: Changes, asked: _Asked) -> None:
        changes.hold(self._released(asked), asked.details)

    def _resume(self, changes: Changes, asked: _Asked) -> None:
        changes.hold(self._released(asked), asked.details, on=False)

    def _released(self, asked: _Asked) -> Routing:
        if asked.routing is None or asked.version.number != asked.routing.candidate:
            raise Conflict(f"version {asked.version.number} is in no release; there is nothing to hold")
        return asked.routing

    def _check_to_go_back_to(self, version: Version, now: Micros) -> None:
        if version.status == "rolled_back":
            raise Conflict(
                f"version {version.number} was rolled back itself; to make it champion again, promote it by its number"
            )
        self._check_can_answer(version, now)

    def _retire(self, changes: Changes, asked: _Asked) -> None:
        """Give up a version: the champion before this one, or one that waits for its release."""
        number, routing = asked.version.number, asked.routing
        if routing is not None and number in (*routing.versions, routing.shadow):
            raise Conflict(f"version {number} answers requests, or is in a shadow; promote another, or end its release")
        if asked.version not in live_versions(self._registry, asked.model.name):
            raise Conflict(f"version {number} is neither the champion before nor waiting; there is nothing to give up")
        changes.retire(routing, number, asked.details)


def _for_people(routing: Routing) -> dict[str, Any]:
    return {**routing.as_json(), "since": format_moment(routing.since)}


def _default_version(action: str, routing: Routing | None) -> int:
    if action in {"start", "retire"} or routing is None:
        raise InvalidInput(f"name the version to {action}")
    if action == "roll-back":  # a shadow answers nobody: what is to stop is the canary, else the champion
        return routing.champion if routing.challenger is None else routing.challenger
    if routing.candidate is None:
        raise InvalidInput(f"no release runs; name the version to {action}")
    return routing.candidate
