"""The retraining function: decides whether to roll back or to train, says why, and starts the training workflow."""

from collections.abc import Sequence
from typing import Any

from smallbox.define.model import Model
from smallbox.define.project import Project
from smallbox.documents.daily_run import DayDocument, RetrainingStep, RollbackStep
from smallbox.documents.training_run import TrainingRequest
from smallbox.errors import Conflict, NotFound, NotReady
from smallbox.labels.stored import why_labels_wait
from smallbox.monitoring.incident import Incident, StoryEntry, StoryEvent
from smallbox.monitoring.incidents import IncidentBook
from smallbox.monitoring.report import LATEST, metrics_partition
from smallbox.ports import Documents, Workflow
from smallbox.registry.store import Registry
from smallbox.release.by_hand import ByHandTask
from smallbox.retraining.decision import TrainingDecision, decide
from smallbox.retraining.past_trainings import TRAINING, situation_of
from smallbox.retraining.roll_back import RollbackDecision, decide_rollback
from smallbox.times import DAY, Micros, day_of, format_moment, parse_moment


class DecideTask:
    """Decides for one model at a time; idempotent per moment: a training run is started once.

    Only incidents that are not closed give a reason: their remedy says whether to train, or to roll back.
    """

    def __init__(
        self, project: Project, registry: Registry, metrics: Documents, training: Workflow, release: ByHandTask
    ) -> None:
        self._project = project
        self._registry = registry
        self._metrics = metrics
        self._book = IncidentBook(metrics)
        self._training = training
        self._release = release

    def run(self, document: DayDocument, now: Micros) -> DayDocument:
        """The daily decision: return the day's document with ``retraining``: whether, why, and the execution."""
        as_of = parse_moment(document["as_of"]) if "as_of" in document else now // DAY * DAY
        return {**document, "retraining": self._decide(self._project.model(document["model"]), as_of)}

    def on_alarm(self, name: str) -> dict[str, Any]:
        """The decision on an alarm, for the day of the latest monitoring report; recorded in the model's history.

        Raises:
            NotReady: if there is no monitoring report yet.
        """
        model = self._project.model(name)
        report = self._metrics.get(metrics_partition(name), LATEST)
        if report is None:
            raise NotReady(
                f"model {name!r} has no monitoring report yet, so there is no incident to decide on", model=name
            )
        now = parse_moment(report["as_of"])
        decision = self._decide(model, now)
        self._registry.record(name, now, "alarm", {"train": decision["train"], "why": decision["why"]})
        return {"model": name, **decision}

    def _decide(self, model: Model, now: Micros) -> RetrainingStep:
        """Decide once per moment: the daily run and its alarms ask about the same moment, in any order."""
        started = [
            e for e in self._registry.history(model.name) if (e["event"], e["at"]) == (TRAINING, format_moment(now))
        ]
        if started:
            return {"train": True, "why": started[0]["why"], "execution": started[0]["execution"]}
        known = [one for one in self._book.unresolved(model.name) if one.opened < day_of(now)]
        rollback = self._roll_back(model, known, now)
        if rollback is not None and rollback["done"]:
            return {
                "train": False,
                "why": "the champion was rolled back instead",
                "rollback": rollback,
            }
        decided = self._train(model, known, now)
        return decided if rollback is None else {**decided, "rollback": rollback}

    def _train(self, model: Model, known: Sequence[Incident], now: Micros) -> RetrainingStep:
        waits = why_labels_wait(self._metrics, model.name)
        if waits:
            return {"train": False, "why": waits}
        asking = [incident for incident in known if incident.remedy == "retrain"]
        reasons = tuple(f"{incident.id}: {incident.sentence}" for incident in asking)
        decision = decide(model.retrain, situation_of(self._registry, model.name, reasons, now), now)
        if not decision.train:
            self._tell_why_not(asking, decision, now)
            return {"train": False, "why": decision.why}
        document: TrainingRequest = {"model": model.name, "as_of": format_moment(now), "reason": decision.why}
        execution = self._training.start(f"{model.name}-{now}", document)
        for incident in asking:
            entry = StoryEntry(format_moment(now), "training", "a training was started because of it", execution)
            self._book.link(incident.id, entry)
        # last: once it is recorded, a retry comes back before the incidents are linked
        self._registry.record(model.name, now, TRAINING, {"why": decision.why, "execution": execution})
        return {"train": True, "why": decision.why, "execution": execution}

    def _tell_why_not(self, asking: Sequence[Incident], decision: TrainingDecision, now: Micros) -> None:
        """The first reason not to train stands in the story; every day's would drown it."""
        for incident in asking:
            if not any(entry.event in {"decision", "training"} for entry in incident.story):
                self._book.link(incident.id, StoryEntry(format_moment(now), "decision", f"no training: {decision.why}"))

    def _roll_back(self, model: Model, known: Sequence[Incident], now: Micros) -> RollbackStep | None:
        decision = decide_rollback(model.release, self._registry.routing(model.name), known, model.name)
        if decision is None:
            return None
        if not decision.is_due:
            return {"done": False, "why": decision.why}
        step = self._rolled_back(model, decision, now)
        event: StoryEvent = "rollback" if step["done"] else "decision"
        self._book.link(decision.incident.id, StoryEntry(format_moment(now), event, step["why"]))
        return step

    def _rolled_back(self, model: Model, decision: RollbackDecision, now: Micros) -> RollbackStep:
        document = {"model": model.name, "action": "roll-back", "as_of": format_moment(now), "why": decision.why}
        try:
            done = self._release.run({**document, "who": f"incident {decision.incident.id}"}, now)
        except (Conflict, NotReady, NotFound) as error:
            return {"done": False, "why": f"the champion could not be rolled back: {error.message}"}
        return {"done": True, "why": f"version {done['routing']['champion']} is champion again; {decision.why}"}
