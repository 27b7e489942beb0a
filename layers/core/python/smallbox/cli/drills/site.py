"""What a drill needs of a system, whether that runs in one process or is deployed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

import pandas as pd

from smallbox.monitoring.findings import FindingKind, Severity
from smallbox.times import Micros

BrokenPart = Literal[
    "slow store",
    "throttled table",
    "model file",
    "slow model",
    "log queue",
    "log worker",
    "daily task",
    "upkeep",
    "poison message",
    "dead worker",
    "bad candidate",
    "bad canary",
]
"""A part of the system itself that a drill breaks."""

STACK_PARTS: Final[frozenset[BrokenPart]] = frozenset(
    {"model file", "log worker", "poison message", "dead worker", "bad candidate"}
)
"""Those that can be broken on a local stack: its emulator makes nothing slow, and throttles nothing."""

AlarmName = Literal[
    "Failing", "Slow", "Dead", "Waiting", "Executions", "UpkeepOverdue", "Fallback", "ChallengerTrouble"
]
"""The operational alarms that a drill may expect, by their names in the deployment."""


@dataclass(frozen=True, slots=True)
class Rung:
    """A finding of the check of one day.

    Attributes:
        kind: what is wrong.
        cause: findings of one cause belong to one incident.
        subject: what it is wrong with.
        severity: only an incident rings.
        sentence: it in words.
    """

    kind: FindingKind
    cause: str
    subject: str
    severity: Severity
    sentence: str


class DrillSite(Protocol):
    """A system with the drills' definition deployed to it."""

    def drop(self, source: str, rows: pd.DataFrame, as_of: Micros) -> None:
        """Load a file of records."""

    def train(self, as_of: Micros) -> None:
        """Train the first version; raises :class:`~smallbox.errors.NotReady` when it does not serve."""

    def send(self, source: str, rows: pd.DataFrame, as_of: Micros) -> None:
        """Send records, and wait until they are applied."""

    def predict(self, rows: pd.DataFrame, as_of: Micros) -> Sequence[Mapping[str, Any]]:
        """The answers to requests, in their order."""

    def close_day(self, midnight: Micros) -> Sequence[Rung]:
        """Run the daily machine; return what its check found."""

    def look(self, now: Micros) -> Sequence[Rung]:
        """Run the hourly look at freshness; return the incidents that are open after it."""

    def releases(self) -> Sequence[str]:
        """The release events of the model so far, like ``roll_back``, or ``roll_back by guard``."""

    def alarms(self) -> Sequence[AlarmName]:
        """The operational alarms whose figures are beyond their limits now."""

    def damage(self, part: BrokenPart, now: Micros) -> None:
        """Break a part of the system."""
