"""Which rows of a request each version answers."""

from collections.abc import Sequence
from dataclasses import dataclass

from smallbox.errors import NotFound
from smallbox.registry.assignment import arm_of
from smallbox.registry.routing import Arm, Routing


@dataclass(frozen=True, slots=True)
class Share:
    """The rows of a batch that one version answers.

    Attributes:
        arm: the version's arm.
        version: its number.
        rows: positions in the batch, ascending.
    """

    arm: Arm
    version: int
    rows: Sequence[int]


def shares_of(routing: Routing, units: Sequence[str]) -> list[Share]:
    """Which rows of a batch each version answers; versions without a row are left out.

    >>> shares_of(Routing(champion=1), ["a", "b"])
    [Share(arm='champion', version=1, rows=[0, 1])]
    """
    found = [arm_of(routing, unit) for unit in units]
    return [
        Share(arm, version, [row for row, own in enumerate(found) if own == (arm, version)])
        for arm, version in dict.fromkeys(found)
    ]


def pinned(routing: Routing, model: str, version: int, rows: Sequence[int]) -> Share:
    """All rows for the version that the caller names.

    Raises:
        NotFound: when the version does not answer requests now.
    """
    if version not in routing.versions:
        serving = " and ".join(map(str, routing.versions))
        raise NotFound(f"no such version of {model} answers requests; those that do: {serving}", model=model)
    arm: Arm = "champion" if version == routing.champion else "challenger"
    return Share(arm, version, list(rows))
