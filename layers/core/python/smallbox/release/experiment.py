"""The experiment function: plans, starts, shows and stops experiments, and looks at the running one each day."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final

from smallbox.define.model import Model
from smallbox.define.project import Project
from smallbox.documents.daily_run import DayDocument, ExperimentStep
from smallbox.errors import Conflict, InvalidInput, NotFound, NotReady
from smallbox.features.live_needs import refresh_live_views
from smallbox.features.live_views import LiveViewStore
from smallbox.ports import Lake
from smallbox.registry.routing import RunningExperiment, start_experiment, stop_experiment
from smallbox.registry.store import Registry
from smallbox.release.ab_experiments import AbExperiments
from smallbox.release.answerable import check_can_answer
from smallbox.release.experiment_kinds import AskedExperiment, KindOfExperiment
from smallbox.release.experiment_record import KeptExperiment
from smallbox.release.experiment_request import EXPERIMENT_ACTIONS, kind_asked
from smallbox.release.interleaving_experiments import InterleavingExperiments
from smallbox.release.running_experiments import ModelExperiments, for_people
from smallbox.times import DAY, Micros, asked_moment, parse_moment

_SYSTEM: Final = "smallbox"
"""Who stops an experiment that its own rules stop."""

_KINDS: Final[Mapping[str, Callable[[ModelExperiments], KindOfExperiment[Any]]]] = {
    "ab": AbExperiments,
    "interleaving": InterleavingExperiments,
}


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
        record = _to_look_at(own, as_of)
        if record is None:
            return {**document, "experiment": {"verdict": "none", "why": "no experiment runs"}}
        try:
            looked = _kind_of(own, record).looked(record, as_of, is_kept=True)
        except (InvalidInput, NotReady) as error:  # an experiment that cannot be read must not stop the model's day
            is_over = as_of - record.running.since >= record.max_days * DAY
            if is_over:
                self._end(own, record, _SYSTEM, f"it has run for max_days={record.max_days}: {error.message}", as_of)
                refresh_live_views(self._project, self._registry, self._live, now)
            return {**document, "experiment": _unread(record, error.message, is_over=is_over)}
        own.keep(looked)
        why = _why_it_ends(own, looked, as_of)
        if why:
            looked = self._end(own, looked.at_revision(looked.revision + 1), _SYSTEM, why, as_of)
            refresh_live_views(self._project, self._registry, self._live, now)
        return {**document, "experiment": _step(looked, why)}

    def by_hand(self, document: Mapping[str, Any], now: Micros) -> dict[str, Any]:
        """Apply ``document["action"]`` to an experiment of ``document["model"]``.

        Raises:
            InvalidInput: unknown action or kind, no versions or outcome, no name or reason, ``as_of`` in the future, or
                an interleaving of what does not rank.
            NotFound: no such model, version or experiment.
            Conflict: another experiment or a canary runs, or the name was used.
            NotReady: a version could not answer, or the experiment would take too long.
        """
        actions: dict[str, Callable[[ModelExperiments, AskedExperiment], dict[str, Any]]] = {
            "plan": self._plan,
            "start": self._start,
            "show": self._show,
            "stop": self._stop,
        }
        action = actions.get(str(document.get("action")))
        if action is None:
            raise InvalidInput(f"action must be one of {', '.join(EXPERIMENT_ACTIONS)}, not {document.get('action')!r}")
        own = self._of(self._project.model(document["model"]))
        return action(own, AskedExperiment(document, now, asked_moment(document, now)))

    def _of(self, model: Model) -> ModelExperiments:
        return ModelExperiments(self._project, self._lake, self._registry, model)

    def _plan(self, own: ModelExperiments, asked: AskedExperiment) -> dict[str, Any]:
        return _asked_kind(own, asked).plan(asked)

    def _start(self, own: ModelExperiments, asked: AskedExperiment) -> dict[str, Any]:
        who, why = asked.who_and_why()
        name, routing = own.model.name, self._registry.routing(own.model.name)
        if routing is None:
            raise Conflict(f"{name} has no champion yet; an experiment needs two versions that answer")
        record = _asked_kind(own, asked).begin(asked)
        running = record.running
        for version in running.versions:
            check_can_answer(self._project, self._registry, self._live, self._registry.get(name, version), asked.now)
        before = own.record(running.name)
        if before is not None and before.state == "stopped":
            raise Conflict(f"an experiment {running.name} was stopped already; give this one another --name")
        changed = start_experiment(routing, running, asked.at)
        self._tell(own, running, "experiment_started", who, why, asked.at)
        own.keep(record.at_revision(0 if before is None else before.revision))
        self._registry.route(name, changed)
        refresh_live_views(self._project, self._registry, self._live, asked.now)
        return for_people(record)

    def _show(self, own: ModelExperiments, asked: AskedExperiment) -> dict[str, Any]:
        record, running = _named(own, asked), own.running()
        if running is not None and running.name == record.running.name:
            record = _kind_of(own, record).looked(record, asked.at, is_kept=False)
        return for_people(record)

    def _stop(self, own: ModelExperiments, asked: AskedExperiment) -> dict[str, Any]:
        who, why = asked.who_and_why()
        record = _named(own, asked)
        if record.state == "stopped":
            raise Conflict(f"the experiment {record.running.name} was stopped already")
        with suppress(NotReady):  # what no look can read must be stopped all the more; the last result stays
            record = _kind_of(own, record).looked(record, asked.at, is_kept=True)
        ended = self._end(own, record, who, why, asked.at)
        refresh_live_views(self._project, self._registry, self._live, asked.now)
        return for_people(ended)

    def _end(self, own: ModelExperiments, record: KeptExperiment, who: str, why: str, at: Micros) -> KeptExperiment:
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
        details = {
            "experiment": running.name,
            "kind": running.kind,
            "weights": weights,
            "unit": running.unit,
            "who": who,
            "why": why,
        }
        self._registry.record(own.model.name, at, event, details)


def _asked_kind(own: ModelExperiments, asked: AskedExperiment) -> KindOfExperiment[Any]:
    kind = kind_asked(own.model, asked.document)
    if kind not in _KINDS:
        raise InvalidInput(f"--kind {kind} is none of {', '.join(_KINDS)}", field="kind")
    return _KINDS[kind](own)


def _kind_of(own: ModelExperiments, record: KeptExperiment) -> KindOfExperiment[Any]:
    return _KINDS[record.running.kind](own)


def _to_look_at(own: ModelExperiments, as_of: Micros) -> KeptExperiment | None:
    """The experiment that runs; or one that its rules stopped, where a crash kept the record from saying so."""
    running = own.running()
    if running is not None:
        return own.record(running.name)
    ending = (one for one in own.records() if one.state == "running" and one.result)
    return next((one for one in ending if _why_it_ends(own, one, as_of)), None)


def _why_it_ends(own: ModelExperiments, record: KeptExperiment, as_of: Micros) -> str:
    """Why an experiment stops by itself; empty when it goes on."""
    sentence = str(record.result["sentence"])
    if record.result["verdict"] in _kind_of(own, record).ends:
        return sentence
    if as_of - record.running.since < record.max_days * DAY:
        return ""
    return f"it has run for max_days={record.max_days}: {sentence}"


def _unread(record: KeptExperiment, why: str, *, is_over: bool) -> ExperimentStep:
    return {"verdict": "cannot_tell", "why": why, "experiment": record.running.name, "stopped": is_over}


def _step(record: KeptExperiment, ended: str) -> ExperimentStep:
    step: ExperimentStep = {
        "verdict": record.result["verdict"],
        "why": record.result["sentence"],
        "experiment": record.running.name,
        "stopped": bool(ended),
    }
    return step


def _named(own: ModelExperiments, asked: AskedExperiment) -> KeptExperiment:
    """The experiment of the asked name; without a name the running one, else the last one."""
    name = asked.document.get("name")
    records = [one for one in own.records() if name in {None, "", one.running.name}]
    if not records:
        raise NotFound(f"there is no experiment {name or 'yet'} of {own.model.name}")
    return next((one for one in reversed(records) if one.state == "running"), records[-1])
