"""The routing of a model (which version answers which request) and its allowed changes."""

from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Literal

from smallbox.errors import Conflict
from smallbox.times import Micros

ACTIONS: Final = ("start", "promote", "roll-back", "retire")
"""The changes that a person may ask for."""

Arm = Literal["champion", "challenger"]


@dataclass(frozen=True, slots=True)
class Routing:
    """The versions that serve a model.

    Attributes:
        champion: the version that answers by default.
        challenger: the version in a canary; ``None`` means no canary.
        share: the share of requests, assigned by key, that the challenger answers; 0 to 1.
        previous: the champion before this one, to which a rollback returns; ``None`` before the second champion.
        since: when this routing began, in microseconds.
        revision: the number of changes, for optimistic concurrency: a change names the revision it was made from.
    """

    champion: int
    challenger: int | None = None
    share: float = 0.0
    since: Micros = 0
    revision: int = 0
    previous: int | None = None

    def as_json(self) -> dict[str, Any]:
        """The routing as a document."""
        return asdict(self)

    @property
    def versions(self) -> tuple[int, ...]:
        """The versions that answer requests, champion first."""
        return (self.champion,) if self.challenger is None else (self.champion, self.challenger)

    def version_of(self, arm: Arm) -> int:
        """The version of an arm."""
        if arm == "challenger" and self.challenger is not None:
            return self.challenger
        return self.champion


def first_champion(number: int, now: Micros) -> Routing:
    """Route all requests to the first version of a model."""
    return Routing(champion=number, since=now)


def start_canary(routing: Routing, number: int, share: float, now: Micros) -> Routing:
    """Route a share of requests to a new version.

    Raises:
        Conflict: if another canary runs: decide it first.
    """
    if routing.challenger is not None:
        raise Conflict(f"version {routing.challenger} is in a canary; review it before {number} starts")
    return replace(routing, challenger=number, share=share, since=now)


def take_over(routing: Routing, number: int, now: Micros) -> Routing:
    """Replace the champion at once; ends a running canary."""
    return replace(routing, champion=number, challenger=None, share=0.0, since=now, previous=routing.champion)


def promote(routing: Routing, now: Micros) -> Routing:
    """Make the challenger champion.

    Raises:
        Conflict: if no canary runs.
    """
    return take_over(routing, _challenger_of(routing), now)


def end_canary(routing: Routing, now: Micros) -> Routing:
    """Route all requests to the champion again.

    Raises:
        Conflict: if no canary runs.
    """
    _challenger_of(routing)
    return replace(routing, challenger=None, share=0.0, since=now)


def go_back(routing: Routing, now: Micros) -> Routing:
    """Route all requests to the champion before this one.

    Raises:
        Conflict: if there was none, or a canary runs.
    """
    if routing.challenger is not None:
        raise Conflict(f"version {routing.challenger} is in a canary; end it before the champion is rolled back")
    if routing.previous is None:
        raise Conflict(
            f"there is no champion before version {routing.champion} to go back to; promote a version by its number"
        )
    return take_over(routing, routing.previous, now)


def forget_previous(routing: Routing) -> Routing:
    """Give up going back to the champion before."""
    return replace(routing, previous=None)


def _challenger_of(routing: Routing) -> int:
    if routing.challenger is None:
        raise Conflict(f"no canary runs beside version {routing.champion}; it has been decided already")
    return routing.challenger
