"""The record of an interleaving in the registry: who started it and why, its rules, and its results."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from smallbox.define.interleavings import Interleaving
from smallbox.registry.routing import RunningExperiment
from smallbox.release.experiment_record import ExperimentState, kept_as_json, kept_from_json, running_from_json, stop_of
from smallbox.times import Micros


@dataclass(frozen=True, slots=True)
class InterleavingRecord:
    """An interleaving as the registry keeps it.

    Attributes:
        running: what the routing has of it while it runs.
        rules: its definition when it was started; a later deployment does not change it.
        state: whether it runs.
        who: who started it.
        why: the reason.
        result: the newest result; empty before the first look.
        days: the preference of each look with its sequence, oldest first.
        stopped: who stopped it, why and when; empty while it runs.
        revision: of the document, for optimistic concurrency.
    """

    running: RunningExperiment
    rules: Interleaving
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
        rules = Interleaving(**{"merge": document["merge"], **document["rules"]})
        return cls(running_from_json(document), rules, **kept_from_json(document))


def final_result(result: Mapping[str, Any]) -> Mapping[str, Any]:
    """The result of a look after which there is no other: ``wait`` becomes ``cannot_tell``."""
    if result.get("verdict") != "wait":
        return result
    return {**result, "verdict": "cannot_tell", "sentence": result["undecided"]}
