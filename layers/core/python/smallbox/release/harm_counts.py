"""What is counted of the two arms of a canary, to judge its harm. Pure."""

from dataclasses import dataclass
from typing import Final

from smallbox.arrays import Floats, np
from smallbox.statistics.rate_evidence import overdispersion

COUNTED: Final = ("asked", "failed", "slow", "fallback", "missing")
"""What is counted of each arm, in the order of the last axis of :class:`ArmCounts`."""

_LEAST_ASKED: Final = 5


@dataclass(frozen=True, slots=True)
class ArmCounts:
    """What both arms of a canary were asked and what went wrong, since its step began.

    Attributes:
        minutes: counts by minute, oldest first; minutes x 2 (champion, challenger) x ``COUNTED``. Only minutes whose
            counts are complete.
        clusters: the same requests by cluster of units; clusters x 2 x ``COUNTED``. All requests of one unit are in one
            cluster, so that a unit which always fails is seen as one.
        p99: the 99th percentile of each arm's milliseconds, for people; ``None`` where unknown.
    """

    minutes: Floats
    clusters: Floats
    p99: tuple[float | None, float | None] = (None, None)

    def of(self, figure: str) -> "RateCounts":
        """The counts of one figure."""
        at = COUNTED.index(figure)
        by_cluster = self.clusters[:, :, at], self.clusters[:, :, 0]
        return RateCounts(_blocks(self.minutes[:, :, at], self.minutes[:, :, 0]), by_cluster)


@dataclass(frozen=True, slots=True)
class RateCounts:
    """One figure of both arms.

    Attributes:
        blocks: requests with trouble and requests asked; each blocks of minutes x 2 (champion, challenger).
        clusters: the same by cluster of units.
    """

    blocks: tuple[Floats, Floats]
    clusters: tuple[Floats, Floats]

    @property
    def totals(self) -> tuple[Floats, Floats]:
        """Trouble and asked of each arm."""
        trouble, asked = self.clusters
        return trouble.sum(axis=0), asked.sum(axis=0)

    def effective(self) -> tuple[Floats, Floats]:
        """Trouble and asked by block, of each arm as many as would say the same if requests were independent."""
        trouble, asked = self.clusters
        less = np.array([overdispersion(trouble[:, arm], asked[:, arm]) for arm in (0, 1)])
        return self.blocks[0] / less, self.blocks[1] / less

    def with_excess(self, excess: float) -> "RateCounts":
        """The counts of a challenger that meets trouble more often than the champion by this much."""
        trouble, asked = self.totals
        rate = min(1.0, (trouble[0] / asked[0] if asked[0] else 0.0) + excess)
        return RateCounts(_with_rate(self.blocks, rate), _with_rate(self.clusters, rate))


@dataclass(frozen=True, slots=True)
class UnlikeCounts:
    """Online answers of the challenger beside its own shadow, one value for each unit or cluster of units.

    Attributes:
        compared: how many answers were compared.
        unlike: how many of them differed.
    """

    compared: Floats
    unlike: Floats


@dataclass(frozen=True, slots=True)
class ArmLosses:
    """The labelled loss of one arm, one value for each unit: predictions of one unit are not independent.

    Attributes:
        rows: how many labelled predictions the unit has; at least 1.
        losses: the sum of their losses.
    """

    rows: Floats
    losses: Floats


def _blocks(trouble: Floats, asked: Floats) -> tuple[Floats, Floats]:
    """Minutes put together until the champion was asked some times and the challenger once; the open block is left."""
    ends, champion, challenger = [], 0.0, 0.0
    for minute, (first, second) in enumerate(asked.tolist(), 1):  # numbers of Python: arrays of two are slow
        champion, challenger = champion + first, challenger + second
        if champion >= _LEAST_ASKED and challenger >= 1:
            ends.append(minute)
            champion = challenger = 0.0
    starts = np.array([0, *ends[:-1]], dtype=np.int64)
    if not ends:
        return np.zeros((0, 2)), np.zeros((0, 2))
    return np.add.reduceat(trouble[: ends[-1]], starts), np.add.reduceat(asked[: ends[-1]], starts)


def _with_rate(counts: tuple[Floats, Floats], rate: float) -> tuple[Floats, Floats]:
    trouble, asked = counts[0].copy(), counts[1]
    trouble[:, 1] = rate * asked[:, 1]
    return trouble, asked
