"""The retraining function: decides whether to train, records the reason, and starts the training workflow."""

from typing import Any

from smallbox.define.model import Model
from smallbox.define.project import Project
from smallbox.documents.daily_run import DayDocument, RetrainingStep
from smallbox.documents.training_run import TrainingRequest
from smallbox.errors import NotReady
from smallbox.labels.stored import why_labels_wait
from smallbox.monitoring.report import LATEST, metrics_partition, reasons_to_train, report_key
from smallbox.ports import Documents, Workflow
from smallbox.registry.store import Registry
from smallbox.retraining.decision import decide
from smallbox.retraining.past_trainings import TRAINING, situation_of
from smallbox.times import DAY, Micros, day_of, format_moment, parse_moment


class DecideTask:
    """Decides for one model at a time; idempotent per moment: a training run is started once."""

    def __init__(self, project: Project, registry: Registry, metrics: Documents, training: Workflow) -> None:
        self._project = project
        self._registry = registry
        self._metrics = metrics
        self._training = training

    def run(self, document: DayDocument, now: Micros) -> DayDocument:
        """The daily decision: return the day's document with ``retraining``: whether, why, and the execution."""
        as_of = parse_moment(document["as_of"]) if "as_of" in document else now // DAY * DAY
        model = self._project.model(document["model"])
        report = self._metrics.get(metrics_partition(model.name), report_key(day_of(as_of - DAY)))
        return {**document, "retraining": self._decide(model, as_of, reasons_to_train(report))}

    def on_alarm(self, name: str) -> dict[str, Any]:
        """The decision on an alarm, for the day of the latest monitoring report; recorded in the model's history.

        Raises:
            NotReady: if there is no monitoring report yet.
        """
        model = self._project.model(name)
        report = self._metrics.get(metrics_partition(name), LATEST)
        if report is None:
            raise NotReady(
                f"model {name!r} has no monitoring report yet, so there is no breach to decide on", model=name
            )
        now = parse_moment(report["as_of"])
        decision = self._decide(model, now, reasons_to_train(report))
        self._registry.record(name, now, "alarm", {"train": decision["train"], "why": decision["why"]})
        return {"model": name, **decision}

    def _decide(self, model: Model, now: Micros, breaches: tuple[str, ...]) -> RetrainingStep:
        """Decide once per moment: the daily run and its alarms ask about the same moment, in any order."""
        started = [
            e for e in self._registry.history(model.name) if (e["event"], e["at"]) == (TRAINING, format_moment(now))
        ]
        if started:
            return {"train": True, "why": started[0]["why"], "execution": started[0]["execution"]}
        waits = why_labels_wait(self._metrics, model.name)
        if waits:
            return {"train": False, "why": waits}
        decision = decide(model.retrain, situation_of(self._registry, model.name, breaches, now), now)
        if not decision.train:
            return {"train": False, "why": decision.why}
        document: TrainingRequest = {"model": model.name, "as_of": format_moment(now), "reason": decision.why}
        execution = self._training.start(f"{model.name}-{now}", document)
        self._registry.record(model.name, now, TRAINING, {"why": decision.why, "execution": execution})
        return {"train": True, "why": decision.why, "execution": execution}
