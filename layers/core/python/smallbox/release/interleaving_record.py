"""The record of an interleaving in the registry: who started it and why, its rules, and its results."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from smallbox.errors import InvalidInput
from smallbox.registry.routing import RunningExperiment
from smallbox.release.experiment_record import ExperimentState, kept_as_json, kept_from_json, running_from_json, stop_of
from smallbox.times import Micros


@dataclass(frozen=True, slots=True)
class InterleavingRules:
    """When an interleaving is decided.

    Attributes:
        min_days: no verdict before this many days; whole weeks see every weekday.
        max_days: one that has no verdict by then is stopped.
        confidence: 1 minus the probability that two equally good rankings are ever told apart.
    """

    min_days: int = 7
    max_days: int = 28
    confidence: float = 0.95

    def __post_init__(self) -> None:
        if not 1 <= self.min_days <= self.max_days:
            raise InvalidInput(f"min_days={self.min_days} must be at least 1, and at most max_days={self.max_days}")
        if not 0.5 < self.confidence < 1:  # noqa: PLR2004 - 0.5 is a coin flip
            raise InvalidInput(f"confidence={self.confidence} must lie between 0.5 and 1")


@dataclass(frozen=True, slots=True)
class InterleavingRecord:
    """An interleaving as the registry keeps it.

    Attributes:
        running: what the routing has of it while it runs.
        rules: when it is decided.
        state: whether it runs.
        who: who started it.
        why: the reason.
        result: the newest result; empty before the first look.
        days: the preference of each look with its sequence, oldest first.
        stopped: who stopped it, why and when; empty while it runs.
        revision: of the document, for optimistic concurrency.
    """

    running: RunningExperiment
    rules: InterleavingRules
    state: ExperimentState
    who: str
    why: str
    result: Mapping[str, Any] = field(default_factory=dict)
    days: tuple[Mapping[str, Any], ...] = ()
    stopped: Mapping[str, str] = field(default_factory=dict)
    revision: int = 0

    @property
    def max_days(self) -> int:
        """After how many days it is stopped."""
        return self.rules.max_days

    def end(self, who: str, why: str, at: Micros) -> "InterleavingRecord":
        """The record of an interleaving that was stopped: what it waited for, it cannot tell."""
        return replace(self, state="stopped", stopped=stop_of(who, why, at), result=final_result(self.result))

    def at_revision(self, revision: int) -> "InterleavingRecord":
        """The record to be written over this revision."""
        return replace(self, revision=revision)

    def as_json(self) -> dict[str, Any]:
        """The record as a document."""
        return {**kept_as_json(self), "merge": self.running.merge, "rules": asdict(self.rules)}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "InterleavingRecord":
        """The inverse of :meth:`as_json`."""
        rules = InterleavingRules(**document["rules"])
        return cls(running_from_json(document), rules, **kept_from_json(document))


def final_result(result: Mapping[str, Any]) -> Mapping[str, Any]:
    """The result of a look after which there is no other: ``wait`` becomes ``cannot_tell``."""
    if result.get("verdict") != "wait":
        return result
    return {**result, "verdict": "cannot_tell", "sentence": result["undecided"]}
