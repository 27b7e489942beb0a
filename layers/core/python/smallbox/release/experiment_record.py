"""The record of an experiment in the registry: its plan, who started it and why, and its results."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from smallbox.define.experiments import Experiment, GuardrailOutcome, Outcome
from smallbox.registry.routing import RunningExperiment
from smallbox.release.experiment_sums import ExperimentSums
from smallbox.times import Micros, format_moment, parse_moment

ExperimentState = Literal["running", "stopped"]


@dataclass(frozen=True, slots=True)
class ExperimentRecord:
    """An experiment as the registry keeps it.

    Attributes:
        running: what the routing has of it while it runs.
        experiment: its definition when it was started; a later deployment does not change it.
        state: whether it runs.
        who: who started it.
        why: the reason.
        plan: the plan that it was started with; see :mod:`smallbox.release.experiment_plan`.
        tuned_for: at how many units of two versions the bounds are narrowest.
        sums: what is known.
        result: the newest result; empty before the first look.
        days: the results of each look in short, oldest first.
        stopped: who stopped it, why and when; empty while it runs.
        revision: of the document, for optimistic concurrency.
    """

    running: RunningExperiment
    experiment: Experiment
    state: ExperimentState
    who: str
    why: str
    plan: Mapping[str, Any]
    tuned_for: int
    sums: ExperimentSums
    result: Mapping[str, Any] = field(default_factory=dict)
    days: tuple[Mapping[str, Any], ...] = ()
    stopped: Mapping[str, str] = field(default_factory=dict)
    revision: int = 0

    def end(self, who: str, why: str, at: Micros) -> "ExperimentRecord":
        """The record of an experiment that was stopped."""
        return replace(self, state="stopped", stopped={"who": who, "why": why, "at": format_moment(at)})

    def as_json(self) -> dict[str, Any]:
        """The record as a document."""
        running = asdict(self.running)
        return {
            "name": self.running.name,
            "kind": self.running.kind,
            "weights": {str(version): weight for version, weight in self.running.weights},
            "unit": running["unit"],
            "since": format_moment(self.running.since),
            "experiment": experiment_as_json(self.experiment),
            "state": self.state,
            "who": self.who,
            "why": self.why,
            "plan": dict(self.plan),
            "tuned_for": self.tuned_for,
            "sums": self.sums.as_json(),
            "result": dict(self.result),
            "days": [dict(day) for day in self.days],
            "stopped": dict(self.stopped),
            "revision": self.revision,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "ExperimentRecord":
        """The inverse of :meth:`as_json`."""
        weights = tuple((int(version), float(weight)) for version, weight in document["weights"].items())
        since = parse_moment(document["since"])
        return cls(
            RunningExperiment(document["name"], document["kind"], weights, document["unit"], since),
            experiment_from_json(document["experiment"]),
            document["state"],
            document["who"],
            document["why"],
            document["plan"],
            document["tuned_for"],
            ExperimentSums.from_json(document["sums"]),
            document["result"],
            tuple(document["days"]),
            document["stopped"],
            document.get("revision", 0),
        )


def experiment_as_json(experiment: Experiment) -> dict[str, Any]:
    """A definition as a document."""
    document = asdict(experiment)
    for outcome in (document["outcome"], *(one["outcome"] for one in document["guardrails"])):
        del outcome["within_micros"]
    return document


def experiment_from_json(document: Mapping[str, Any]) -> Experiment:
    """The inverse of :func:`experiment_as_json`."""
    guardrails = tuple(GuardrailOutcome(Outcome(**one["outcome"]), one["worst"]) for one in document["guardrails"])
    return Experiment(**{**document, "outcome": Outcome(**document["outcome"]), "guardrails": guardrails})
