"""The experiment function: plans, starts, shows and stops experiments, and looks at the running one each day."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from smallbox.define.experiments import Experiment
from smallbox.define.model import Model
from smallbox.define.project import Project
from smallbox.documents.daily_run import DayDocument, ExperimentStep
from smallbox.errors import Conflict, InvalidInput, NotFound, NotReady
from smallbox.features.live_needs import refresh_live_views
from smallbox.features.live_views import LiveViewStore
from smallbox.ports import Lake
from smallbox.registry.routing import RunningExperiment, start_experiment, stop_experiment
from smallbox.registry.store import Registry
from smallbox.release.answerable import check_can_answer
from smallbox.release.experiment_look import no_sums
from smallbox.release.experiment_plan import ExperimentPlan, plan_experiment
from smallbox.release.experiment_record import ExperimentRecord
from smallbox.release.experiment_request import EXPERIMENT_ACTIONS, asked_experiment, asked_weights
from smallbox.release.experiment_verdict import ENDS
from smallbox.release.running_experiments import ModelExperiments, for_people
from smallbox.times import DAY, Micros, asked_moment, day_of, parse_moment

_SYSTEM: Final = "smallbox"
"""Who stops an experiment that its own rules stop."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A checked request of a person."""

    own: ModelExperiments
    document: Mapping[str, Any]
    now: Micros
    at: Micros

    def who_and_why(self) -> tuple[str, str]:
        who, why = (str(self.document.get(name) or "").strip() for name in ("who", "why"))
        if not who or not why:
            raise InvalidInput("say who changes the experiment and why; the history keeps both")
        return who, why


class ExperimentTask:
    """A task of the day, after the review; and the commands of ``smallbox experiment``.

    Args:
        project: the definitions.
        lake: the tables.
        registry: routing and records.
        live: the live views.
    """

    def __init__(self, project: Project, lake: Lake, registry: Registry, live: LiveViewStore) -> None:
        self._project, self._lake, self._registry, self._live = project, lake, registry, live

    def run(self, document: DayDocument, now: Micros) -> DayDocument:
        """Return the day's document with ``experiment``: the verdict of the running one; stop it where its rules do."""
        own, as_of = self._of(self._project.model(document["model"])), parse_moment(document["as_of"])
        running = own.running()
        record = None if running is None else own.record(running.name)
        if record is None:
            return {**document, "experiment": {"verdict": "none", "why": "no experiment runs"}}
        try:
            looked = own.looked(record, as_of, is_kept=True)
        except (InvalidInput, NotReady) as error:  # an experiment that cannot be read must not stop the model's day
            said: ExperimentStep = {"verdict": "cannot_tell", "why": error.message, "experiment": record.running.name}
            return {**document, "experiment": said}
        own.keep(looked)
        why = _why_it_ends(looked, as_of)
        if why:
            self._end(own, replace(looked, revision=looked.revision + 1), _SYSTEM, why, as_of)
            refresh_live_views(self._project, self._registry, self._live, now)
        return {**document, "experiment": _step(looked, why)}

    def by_hand(self, document: Mapping[str, Any], now: Micros) -> dict[str, Any]:
        """Apply ``document["action"]`` to an experiment of ``document["model"]``.

        Raises:
            InvalidInput: unknown action, no versions or outcome, no name or reason, or ``as_of`` in the future.
            NotFound: no such model, version or experiment.
            Conflict: another experiment or a canary runs, or the name was used.
            NotReady: a version could not answer, or the experiment would take too long.
        """
        actions: dict[str, Callable[[_Asked], dict[str, Any]]] = {
            "plan": self._plan,
            "start": self._start,
            "show": self._show,
            "stop": self._stop,
        }
        action = actions.get(str(document.get("action")))
        if action is None:
            raise InvalidInput(f"action must be one of {', '.join(EXPERIMENT_ACTIONS)}, not {document.get('action')!r}")
        own = self._of(self._project.model(document["model"]))
        return action(_Asked(own, document, now, asked_moment(document, now)))

    def _of(self, model: Model) -> ModelExperiments:
        return ModelExperiments(self._project, self._lake, self._registry, model)

    def _planned(self, asked: _Asked) -> tuple[Experiment, tuple[tuple[int, float], ...], ExperimentPlan]:
        own, weights = asked.own, asked_weights(asked.document)
        experiment = asked_experiment(self._project, own.model, asked.document)
        versions = tuple(version for version, _ in weights)
        requests = own.requests(versions, experiment.unit or "", experiment.covariate)
        return experiment, weights, plan_experiment(self._project, self._lake, requests, experiment, weights, asked.at)

    def _plan(self, asked: _Asked) -> dict[str, Any]:
        experiment, weights, plan = self._planned(asked)
        asked_for = {"model": asked.own.model.name, "versions": [version for version, _ in weights]}
        return {**asked_for, "unit": experiment.unit or "", "covariate": experiment.covariate, **plan.document}

    def _start(self, asked: _Asked) -> dict[str, Any]:
        who, why = asked.who_and_why()
        own, routing = asked.own, self._registry.routing(asked.own.model.name)
        if routing is None:
            raise Conflict(f"{own.model.name} has no champion yet; an experiment needs two versions that answer")
        experiment, weights, plan = self._planned(asked)
        for version, _ in weights:
            found = self._registry.get(own.model.name, version)
            check_can_answer(self._project, self._registry, self._live, found, asked.now)
        name = asked.document.get("name") or _name_of(asked, weights)
        before = own.record(name)
        if before is not None and before.state == "stopped":
            raise Conflict(f"an experiment {name} was stopped already; give this one another --name")
        running = RunningExperiment(name, "ab", weights, experiment.unit or "", asked.at)
        changed = start_experiment(routing, running, asked.at)
        sums = no_sums(experiment, asked.at, plan.fits)
        record = ExperimentRecord(running, experiment, "running", who, why, plan.document, plan.tuned_for, sums)
        self._tell(asked.own, running, "experiment_started", who, why, asked.at)
        own.keep(replace(record, revision=0 if before is None else before.revision))
        self._registry.route(own.model.name, changed)
        refresh_live_views(self._project, self._registry, self._live, asked.now)
        return for_people(record)

    def _show(self, asked: _Asked) -> dict[str, Any]:
        record = _named(asked)
        running = asked.own.running()
        if running is not None and running.name == record.running.name:
            record = asked.own.looked(record, asked.at, is_kept=False)
        return for_people(record)

    def _stop(self, asked: _Asked) -> dict[str, Any]:
        who, why = asked.who_and_why()
        record = _named(asked)
        if record.state == "stopped":
            raise Conflict(f"the experiment {record.running.name} was stopped already")
        looked = asked.own.looked(record, asked.at, is_kept=True)
        ended = self._end(asked.own, looked, who, why, asked.at)
        refresh_live_views(self._project, self._registry, self._live, asked.now)
        return for_people(ended)

    def _end(self, own: ModelExperiments, record: ExperimentRecord, who: str, why: str, at: Micros) -> ExperimentRecord:
        """Stop an experiment: history, routing, record; a retry repairs a crash between them."""
        routing, running = self._registry.routing(own.model.name), record.running
        self._tell(own, running, "experiment_stopped", who, why, at)
        if routing is not None and routing.experiment is not None and routing.experiment.name == running.name:
            self._registry.route(own.model.name, stop_experiment(routing, at))
        ended = record.end(who, why, at)
        own.keep(ended)
        return ended

    def _tell(
        self, own: ModelExperiments, running: RunningExperiment, event: str, who: str, why: str, at: Micros
    ) -> None:
        weights = {str(version): weight for version, weight in running.weights}
        details = {"experiment": running.name, "weights": weights, "unit": running.unit, "who": who, "why": why}
        self._registry.record(own.model.name, at, event, details)


def _why_it_ends(record: ExperimentRecord, as_of: Micros) -> str:
    """Why an experiment stops by itself; empty when it goes on."""
    if record.result["verdict"] in ENDS:
        return str(record.result["sentence"])
    if as_of - record.running.since < record.experiment.max_days * DAY:
        return ""
    return f"it has run for max_days={record.experiment.max_days}: {record.result['sentence']}"


def _step(record: ExperimentRecord, ended: str) -> ExperimentStep:
    step: ExperimentStep = {
        "verdict": record.result["verdict"],
        "why": record.result["sentence"],
        "experiment": record.running.name,
        "stopped": bool(ended),
    }
    return step


def _name_of(asked: _Asked, weights: tuple[tuple[int, float], ...]) -> str:
    return "-".join((day_of(asked.at), *(str(version) for version, _ in weights)))


def _named(asked: _Asked) -> ExperimentRecord:
    """The experiment of the asked name; without a name the running one, else the last one."""
    name = asked.document.get("name")
    records = [one for one in asked.own.records() if name in {None, "", one.running.name}]
    if not records:
        raise NotFound(f"there is no experiment {name or 'yet'} of {asked.own.model.name}")
    return next((one for one in reversed(records) if one.state == "running"), records[-1])
