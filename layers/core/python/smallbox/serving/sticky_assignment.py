"""Sticky assignment: which arm answers a key, the same one as long as the canary lasts.

The key is that of the request, or the group of a ranking: one version ranks all rows of a group.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from smallbox.errors import NotFound
from smallbox.registry.routing import Arm, Routing

_BYTES: Final = 8
_RANGE: Final = 2**64


def position(salt: str, key: str) -> float:
    """The position of a key in ``[0, 1)``: a uniform hash, independent for each salt."""
    digest = hashlib.blake2b(f"{salt}\x00{key}".encode("utf-8", "surrogatepass"), digest_size=_BYTES).digest()
    return int.from_bytes(digest) / _RANGE


def arm_of(routing: Routing, key: str) -> Arm:
    """The arm that answers a key.

    The challenger's version number is the salt, so each canary draws its keys anew. Raising the share of a canary moves
    keys to the challenger, and never back.

    >>> arm_of(Routing(champion=1), "any")
    'champion'
    """
    if routing.challenger is None:
        return "champion"
    return "challenger" if position(str(routing.challenger), key) < routing.share else "champion"


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


def shares_of(routing: Routing, keys: Sequence[str]) -> list[Share]:
    """Which rows of a batch each version answers; versions without a row are left out.

    >>> shares_of(Routing(champion=1), ["a", "b"])
    [Share(arm='champion', version=1, rows=[0, 1])]
    """
    arms = [arm_of(routing, key) for key in keys]
    return [
        Share(arm, routing.version_of(arm), [row for row, own in enumerate(arms) if own == arm])
        for arm in dict.fromkeys(arms)
    ]


def pinned(routing: Routing, model: str, version: int, rows: Sequence[int]) -> Share:
    """All rows for the version that the caller names.

    Raises:
        NotFound: when the version does not answer requests now.
    """
    if version not in routing.versions:
        serving = " and ".join(map(str, routing.versions))
        raise NotFound(f"no such version of {model} answers requests; those that do: {serving}", model=model)
    return Share("champion" if version == routing.champion else "challenger", version, list(rows))
