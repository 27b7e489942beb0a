"""The mark of a request in a canary: how its arm did. The prediction log's messages carry it to the counters."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from smallbox.registry.assignment import position
from smallbox.times import MILLISECOND, Micros

CLUSTERS: Final = 32
"""Into how many clusters the units of a canary are hashed. All requests of a unit are in one."""

CHALLENGER_TROUBLE: Final = "ChallengerTrouble"
"""Name of the metric of requests in which the challenger of a canary failed, was late, fell back or lacked features.

It sums over all models, so that one alarm covers all.
"""


def cluster_of(unit: str) -> int:
    """The cluster of a unit; independent of the arm that answers it."""
    return int(position("cluster", unit) * CLUSTERS)


@dataclass(frozen=True, slots=True)
class CanaryMark:
    """How the part of a request went that one arm answered.

    A part counts once, however many instances it has: they fail together. Its first instance stands for it.

    Attributes:
        challenger: the challenger's version, which names the canary.
        arm: the arm to which the part was assigned, whoever answered: ``champion`` or ``challenger``.
        cluster: the cluster of its first unit, below ``CLUSTERS``.
        at: when it was asked, microseconds.
        milliseconds: how long its answer took, without the wait for the log.
        failed: whether it ended in an error.
        fallback: whether the fallback answered, or the version before.
        missing: whether its first instance misses stored features.
    """

    challenger: int
    arm: str
    cluster: int
    at: Micros
    milliseconds: float
    failed: bool = False
    fallback: bool = False
    missing: bool = False

    def as_json(self) -> dict[str, Any]:
        """The mark as a document; what did not happen is left out."""
        happened = {name: 1 for name in ("failed", "fallback", "missing") if getattr(self, name)}
        took = round(self.milliseconds, 1)
        known = {"challenger": self.challenger, "arm": self.arm, "cluster": self.cluster, "at": self.at, "ms": took}
        return {**known, **happened}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "CanaryMark":
        """The inverse of :meth:`as_json`."""
        where = (document["challenger"], document["arm"], document["cluster"], document["at"])
        happened = ("failed" in document, "fallback" in document, "missing" in document)
        return cls(*where, document["ms"], *happened)

    def is_late(self, slow_after: Micros) -> bool:
        """Whether its answer took longer."""
        return self.milliseconds * MILLISECOND > slow_after
