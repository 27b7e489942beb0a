"""Sticky assignment: the arm and the version that answer a unit, the same as long as a canary or an experiment lasts.

A unit is the value of a declared request field, like a customer; else the request's key, or the group of a ranking: one
version ranks all rows of a group.
"""

import hashlib
from typing import Final

from smallbox.registry.routing import Arm, Routing, RunningExperiment

_BYTES: Final = 8
_RANGE: Final = 2**64


def position(salt: str, unit: str) -> float:
    """The position of a unit in ``[0, 1)``: a uniform hash, independent for each salt."""
    digest = hashlib.blake2b(f"{salt}\x00{unit}".encode("utf-8", "surrogatepass"), digest_size=_BYTES).digest()
    return int.from_bytes(digest) / _RANGE


def arm_of(routing: Routing, unit: str) -> tuple[Arm, int]:
    """The arm and the version that answer a unit.

    The challenger's version number salts its canary, and its name an experiment, so that each draws its units anew.
    Raising the share of a canary moves units to the challenger, and never back. During an interleaving the champion
    answers what is not ranked: two rankings can be interleaved, two scores cannot.

    >>> arm_of(Routing(champion=1), "any")
    ('champion', 1)
    """
    if routing.experiment is not None and routing.experiment.kind == "ab":
        return _arm_of_experiment(routing.experiment, unit) or ("champion", routing.champion)
    if routing.challenger is not None and position(str(routing.challenger), unit) < routing.share:
        return "challenger", routing.challenger
    return "champion", routing.champion


def interleaved_versions(routing: Routing, unit: str) -> tuple[int, ...]:
    """The versions whose rankings are interleaved for a unit; none outside an interleaving.

    The weights of an interleaving add up to the share of the units that take part.
    """
    experiment = routing.experiment
    if experiment is None or experiment.kind != "interleaving":
        return ()
    takes_part = _position_of(experiment, unit) < sum(weight for _, weight in experiment.weights)
    return experiment.versions if takes_part else ()


def _position_of(experiment: RunningExperiment, unit: str) -> float:
    return position(f"experiment {experiment.name}", unit)


def _arm_of_experiment(experiment: RunningExperiment, unit: str) -> tuple[Arm, int] | None:
    at, reached = _position_of(experiment, unit), 0.0
    for version, weight in experiment.weights:
        reached += weight
        if at < reached:
            return "experiment", version
    return None
