"""Who answers which request, and how that may change."""

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from smallbox.errors import Conflict
from smallbox.times import Micros

Arm = Literal["champion", "challenger"]


@dataclass(frozen=True, slots=True)
class Routing:
    """Who serves a model.

    Attributes:
        champion: the version that answers.
        challenger: the version in a canary, which answers its share.
        share: of requests, by their key, that the challenger answers.
        since: the moment at which this began.
        revision: counts the changes; a change names the revision that it was made from.
    """

    champion: int
    challenger: int | None = None
    share: float = 0.0
    since: Micros = 0
    revision: int = 0

    def as_json(self) -> dict[str, Any]:
        """The routing as a document."""
        return asdict(self)

    def version_of(self, arm: Arm) -> int:
        """The version of an arm."""
        if arm == "challenger" and self.challenger is not None:
            return self.challenger
        return self.champion


def first_champion(number: int, now: Micros) -> Routing:
    """The first version of a model answers everything."""
    return Routing(champion=number, since=now)


def start_canary(routing: Routing, number: int, share: float, now: Micros) -> Routing:
    """The new version answers a share.

    Raises:
        Conflict: when another canary runs; decide it first.
    """
    if routing.challenger is not None:
        raise Conflict(f"version {routing.challenger} is in a canary; review it before {number} starts")
    return replace(routing, challenger=number, share=share, since=now)


def take_over(routing: Routing, number: int, now: Micros) -> Routing:
    """The new version answers everything at once: the champion cannot answer any more."""
    return replace(routing, champion=number, challenger=None, share=0.0, since=now)


def promote(routing: Routing, now: Micros) -> Routing:
    """The challenger becomes champion.

    Raises:
        Conflict: when no canary runs.
    """
    _check_canary(routing)
    return replace(routing, champion=routing.version_of("challenger"), challenger=None, share=0.0, since=now)


def roll_back(routing: Routing, now: Micros) -> Routing:
    """The champion answers everything again.

    Raises:
        Conflict: when no canary runs.
    """
    _check_canary(routing)
    return replace(routing, challenger=None, share=0.0, since=now)


def _check_canary(routing: Routing) -> None:
    if routing.challenger is None:
        raise Conflict(f"no canary runs beside version {routing.champion}; it was decided already")
