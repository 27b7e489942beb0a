"""The routing of a model: which version answers which request, and the release and the experiment that run.

It is one document with one revision, changed by conditional writes only. So a promotion or a rollback is one write, and
what a process reads is never half of a change.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from smallbox.define.interleavings import Merge
from smallbox.errors import Conflict
from smallbox.times import Micros

Arm = Literal["champion", "challenger", "experiment"]
"""Why a version answers: by default, in a canary, or in an experiment."""

ExperimentKind = Literal["ab", "interleaving"]


@dataclass(frozen=True, slots=True)
class RunningExperiment:
    """The experiment that decides who answers; the registry keeps its plan and its results under its name.

    Attributes:
        name: unique among the model's experiments; it salts the assignment, so each experiment draws its units anew.
        kind: ``ab``: each unit is answered by one version; ``interleaving``: each ranking is made by two.
        weights: by version its share of the units; together at most 1. The champion answers the rest, outside the
            experiment.
        unit: the request field that is assigned; empty: the key, or the group of a ranking.
        since: when it began, in microseconds.
        merge: of an interleaving, how the two rankings become one list.
    """

    name: str
    kind: ExperimentKind
    weights: tuple[tuple[int, float], ...]
    unit: str = ""
    since: Micros = 0
    merge: Merge = "team_draft"

    @property
    def versions(self) -> tuple[int, ...]:
        """The versions that take part."""
        return tuple(version for version, _ in self.weights)


@dataclass(frozen=True, slots=True)
class Routing:
    """The versions that serve a model, and the release and the experiment that run.

    Attributes:
        champion: the version that answers by default.
        challenger: the version in a canary; ``None`` means no canary.
        share: the share of the units that the challenger answers; 0 to 1.
        previous: the champion before this one, to which a rollback returns; ``None`` before the second champion.
        since: when it was last changed who answers, in microseconds.
        revision: the number of changes, for optimistic concurrency: a change names the revision it was made from.
        shadow: the version in a shadow, which answers nobody; ``None`` means no shadow.
        unit: the request field that assigns the canary's share; empty: the key, or the group of a ranking.
        began: when the running release began, in microseconds; 0 without one.
        held: why a person holds the release where it is; empty when it moves on by itself.
        experiment: the experiment that runs; ``None`` without one.
    """

    champion: int
    challenger: int | None = None
    share: float = 0.0
    since: Micros = 0
    revision: int = 0
    previous: int | None = None
    shadow: int | None = None
    unit: str = ""
    began: Micros = 0
    held: str = ""
    experiment: RunningExperiment | None = None

    def as_json(self) -> dict[str, Any]:
        """The routing as a document."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Routing":
        """The inverse of :meth:`as_json`."""
        running = document.get("experiment")
        if running is None:
            return cls(**document)
        weights = tuple((int(version), float(weight)) for version, weight in running["weights"])
        return cls(**{**document, "experiment": RunningExperiment(**{**running, "weights": weights})})

    @property
    def versions(self) -> tuple[int, ...]:
        """The versions that answer requests, champion first."""
        taking_part = () if self.experiment is None else self.experiment.versions
        challenger = () if self.challenger is None else (self.challenger,)
        return tuple(dict.fromkeys((self.champion, *challenger, *taking_part)))

    @property
    def assigned_by(self) -> str:
        """The request field whose value decides who answers; empty: the key, or the group of a ranking."""
        return self.unit if self.experiment is None else self.experiment.unit

    @property
    def candidate(self) -> int | None:
        """The version of the running release; ``None`` when no release runs."""
        return self.shadow if self.challenger is None else self.challenger

    def version_of(self, arm: Literal["champion", "challenger"]) -> int:
        """The version of an arm."""
        if arm == "challenger" and self.challenger is not None:
            return self.challenger
        return self.champion


def first_champion(number: int, now: Micros) -> Routing:
    """Route all requests to the first version of a model."""
    return Routing(champion=number, since=now)


def start_shadow(routing: Routing, number: int, now: Micros) -> Routing:
    """Begin a release with a shadow: who answers does not change.

    Raises:
        Conflict: if another release runs.
    """
    _check_no_release(routing, number)
    return replace(routing, shadow=number, began=now, held="")


def start_canary(routing: Routing, number: int, share: float, now: Micros, unit: str = "") -> Routing:
    """Let a version answer a share of the units: the version in the shadow, or one that begins its release here.

    Raises:
        Conflict: if another release runs, or an experiment decides who answers.
    """
    if routing.shadow != number:
        _check_no_release(routing, number)
    if routing.experiment is not None:
        raise Conflict(
            f"the experiment {routing.experiment.name} decides who answers; stop it before the canary of {number}"
        )
    began = routing.began if routing.shadow == number else now
    return replace(routing, challenger=number, share=share, since=now, shadow=None, unit=unit, began=began, held="")


def next_step(routing: Routing, share: float, now: Micros) -> Routing:
    """Let the challenger answer a larger share; no unit moves back to the champion.

    Raises:
        Conflict: if no canary runs.
    """
    _challenger_of(routing)
    return replace(routing, share=share, since=now)


def take_over(routing: Routing, number: int, now: Micros) -> Routing:
    """Replace the champion at once; ends a running canary, and the release of this version."""
    if routing.shadow not in {None, number}:  # the shadow of another version goes on, against the new champion
        return replace(
            routing, champion=number, challenger=None, share=0.0, since=now, previous=routing.champion, unit=""
        )
    return replace(_without_release(routing), champion=number, since=now, previous=routing.champion)


def promote(routing: Routing, now: Micros) -> Routing:
    """Make the version of the running release champion.

    Raises:
        Conflict: if no release runs.
    """
    return take_over(routing, _candidate_of(routing), now)


def end_release(routing: Routing, now: Micros) -> Routing:
    """End the running release; all requests go to the champion again.

    Raises:
        Conflict: if no release runs.
    """
    _candidate_of(routing)
    return replace(_without_release(routing), since=now if routing.challenger is not None else routing.since)


def hold(routing: Routing, why: str) -> Routing:
    """Hold the running release where it is; an empty reason lets it move on.

    Raises:
        Conflict: if no release runs.
    """
    _candidate_of(routing)
    return replace(routing, held=why)


def go_back(routing: Routing, now: Micros) -> Routing:
    """Route all requests to the champion before this one.

    Raises:
        Conflict: if there was none, or a canary runs.
    """
    if routing.challenger is not None:
        raise Conflict(f"version {routing.challenger} is in a canary; end it before the champion is rolled back")
    if routing.previous is None:
        raise Conflict(
            f"there is no champion before version {routing.champion} to go back to; promote a version by its number"
        )
    return take_over(routing, routing.previous, now)


def forget_previous(routing: Routing) -> Routing:
    """Give up going back to the champion before."""
    return replace(routing, previous=None)


def start_experiment(routing: Routing, experiment: RunningExperiment, now: Micros) -> Routing:
    """Let an experiment decide who answers.

    Raises:
        Conflict: if another experiment runs, or a canary.
    """
    if routing.experiment is not None:
        raise Conflict(f"the experiment {routing.experiment.name} runs; stop it before {experiment.name} starts")
    if routing.challenger is not None:
        raise Conflict(f"version {routing.challenger} is in a canary; wait for its end before an experiment starts")
    return replace(routing, experiment=replace(experiment, since=now), since=now)


def stop_experiment(routing: Routing, now: Micros) -> Routing:
    """Route all requests by default again.

    Raises:
        Conflict: if no experiment runs.
    """
    if routing.experiment is None:
        raise Conflict(f"no experiment runs beside version {routing.champion}; it was stopped already")
    return replace(routing, experiment=None, since=now)


def _without_release(routing: Routing) -> Routing:
    return replace(routing, challenger=None, share=0.0, shadow=None, unit="", began=0, held="")


def _check_no_release(routing: Routing, number: int) -> None:
    if routing.candidate is not None:
        rung = "canary" if routing.challenger is not None else "shadow"
        raise Conflict(f"version {routing.candidate} is in a {rung}; its release ends before that of {number} starts")


def _challenger_of(routing: Routing) -> int:
    if routing.challenger is None:
        raise Conflict(f"no canary runs beside version {routing.champion}; it has been decided already")
    return routing.challenger


def _candidate_of(routing: Routing) -> int:
    if routing.candidate is None:
        raise Conflict(f"no release runs beside version {routing.champion}; it has been decided already")
    return routing.candidate
