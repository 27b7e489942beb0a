"""The record of an experiment in the registry: its plan, who started it and why, and its results."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, Protocol, Self

from smallbox.define.experiments import Experiment, GuardrailOutcome, Outcome
from smallbox.registry.routing import RunningExperiment
from smallbox.release.experiment_sums import ExperimentSums
from smallbox.times import Micros, format_moment, parse_moment

ExperimentState = Literal["running", "stopped"]


class KeptExperiment(Protocol):
    """What the record of an experiment of any kind has; see :class:`ExperimentRecord`."""

    @property
    def running(self) -> RunningExperiment:
        """What the routing has of it while it runs."""

    @property
    def state(self) -> ExperimentState:
        """Whether it runs."""

    @property
    def who(self) -> str:
        """Who started it."""

    @property
    def why(self) -> str:
        """The reason."""

    @property
    def result(self) -> Mapping[str, Any]:
        """The newest result; empty before the first look."""

    @property
    def days(self) -> tuple[Mapping[str, Any], ...]:
        """The results of each look in short, oldest first."""

    @property
    def stopped(self) -> Mapping[str, str]:
        """Who stopped it, why and when; empty while it runs."""

    @property
    def revision(self) -> int:
        """Of the document, for optimistic concurrency."""

    @property
    def max_days(self) -> int:
        """After how many days it is stopped."""

    def end(self, who: str, why: str, at: Micros) -> Self:
        """The record of an experiment that was stopped."""

    def at_revision(self, revision: int) -> Self:
        """The record to be written over this revision."""

    def as_json(self) -> dict[str, Any]:
        """The record as a document."""


@dataclass(frozen=True, slots=True)
class ExperimentRecord:
    """An A/B experiment as the registry keeps it.

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

    @property
    def max_days(self) -> int:
        """After how many days it is stopped."""
        return self.experiment.max_days

    def end(self, who: str, why: str, at: Micros) -> "ExperimentRecord":
        """The record of an experiment that was stopped."""
        return replace(self, state="stopped", stopped=stop_of(who, why, at))

    def at_revision(self, revision: int) -> "ExperimentRecord":
        """The record to be written over this revision."""
        return replace(self, revision=revision)

    def as_json(self) -> dict[str, Any]:
        """The record as a document."""
        own = {"experiment": experiment_as_json(self.experiment), "plan": dict(self.plan), "tuned_for": self.tuned_for}
        return {**kept_as_json(self), **own, "sums": self.sums.as_json()}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "ExperimentRecord":
        """The inverse of :meth:`as_json`."""
        return cls(
            running_from_json(document),
            experiment_from_json(document["experiment"]),
            plan=document["plan"],
            tuned_for=document["tuned_for"],
            sums=ExperimentSums.from_json(document["sums"]),
            **kept_from_json(document),
        )


def stop_of(who: str, why: str, at: Micros) -> dict[str, str]:
    """What a record says of its end."""
    return {"who": who, "why": why, "at": format_moment(at)}


def kept_as_json(record: KeptExperiment) -> dict[str, Any]:
    """What the documents of all kinds have."""
    return {
        "name": record.running.name,
        "kind": record.running.kind,
        "weights": {str(version): weight for version, weight in record.running.weights},
        "unit": record.running.unit,
        "since": format_moment(record.running.since),
        "state": record.state,
        "who": record.who,
        "why": record.why,
        "result": dict(record.result),
        "days": [dict(day) for day in record.days],
        "stopped": dict(record.stopped),
        "revision": record.revision,
    }


def kept_from_json(document: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that the records of all kinds have, but ``running``."""
    same = {name: document[name] for name in ("state", "who", "why", "result", "stopped")}
    return {**same, "days": tuple(document["days"]), "revision": document.get("revision", 0)}


def running_from_json(document: Mapping[str, Any]) -> RunningExperiment:
    """What the routing has of an experiment, from its document; only an interleaving's has ``merge``."""
    weights = tuple((int(version), float(weight)) for version, weight in document["weights"].items())
    since, merge = parse_moment(document["since"]), document.get("merge", "team_draft")
    return RunningExperiment(document["name"], document["kind"], weights, document["unit"], since, merge)


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
