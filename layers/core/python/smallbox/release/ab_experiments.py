"""A/B experiments of a model: their plan, their beginning and their looks."""

from dataclasses import dataclass, replace
from typing import Any, Final

from smallbox.define.experiments import Experiment
from smallbox.define.frozen import freeze
from smallbox.errors import InvalidInput
from smallbox.lake.predictions import PredictionLog
from smallbox.registry.routing import RunningExperiment
from smallbox.release.experiment_columns import Frozen, UnitRequests, check_covariate, unit_column
from smallbox.release.experiment_kinds import AskedExperiment, last_moment
from smallbox.release.experiment_look import ExperimentLooks, no_sums
from smallbox.release.experiment_plan import ExperimentPlan, plan_experiment
from smallbox.release.experiment_record import ExperimentRecord
from smallbox.release.experiment_request import asked_experiment, asked_weights
from smallbox.release.experiment_verdict import ENDS, in_short, judged_experiment
from smallbox.release.exposures import ExposureBook
from smallbox.release.running_experiments import ModelExperiments
from smallbox.times import Micros


@dataclass(frozen=True, slots=True)
class AbExperiments:
    """The A/B experiments of one model: each unit is answered by one version.

    Attributes:
        own: what is stored of them.
        ends: the verdicts that stop one by themselves.
    """

    own: ModelExperiments
    ends: frozenset[str] = frozenset(ENDS)

    def plan(self, asked: AskedExperiment) -> dict[str, Any]:
        """How long an experiment would take; see :mod:`smallbox.release.experiment_plan`."""
        experiment, weights, plan = self._planned(asked)
        asked_for = {"model": self.own.model.name, "versions": [version for version, _ in weights]}
        return {**asked_for, "unit": experiment.unit or "", "covariate": experiment.covariate, **plan.document}

    def begin(self, asked: AskedExperiment) -> ExperimentRecord:
        """The record of an experiment that begins, with its plan.

        Raises:
            InvalidInput: no versions or outcome.
            NotReady: it would take too long.
        """
        who, why = asked.who_and_why()
        experiment, weights, plan = self._planned(asked)
        running = RunningExperiment(asked.name_for(weights), "ab", weights, experiment.unit or "", asked.at)
        sums = no_sums(experiment, asked.at, plan.fits)
        return ExperimentRecord(running, experiment, "running", who, why, plan.document, plan.tuned_for, sums)

    def looked(self, record: ExperimentRecord, as_of: Micros, *, is_kept: bool) -> ExperimentRecord:
        """The record with a look as of a moment; with ``is_kept`` the new exposures are written."""
        running, experiment = record.running, record.experiment
        book = ExposureBook(self.own.lake, self.own.model.name, running.name, running.since, is_kept)
        requests = self._requests(running.versions, running.unit, experiment.covariate)
        looks = ExperimentLooks(self.own.project, self.own.lake, running, experiment, requests, book)
        longest = max(outcome.within_micros for outcome in experiment.outcomes)
        moment = last_moment(record, longest, as_of)
        judged = replace(record, sums=looks.forward(record.sums, moment))
        result = judged_experiment(judged, moment)
        before = tuple(day for day in record.days if day["as_of"] != result["as_of"])
        return replace(judged, result=result, days=(*before, in_short(result)))

    def _planned(self, asked: AskedExperiment) -> tuple[Experiment, tuple[tuple[int, float], ...], ExperimentPlan]:
        _check_options(asked)
        own, weights = self.own, asked_weights(asked.document)
        experiment = asked_experiment(own.project, own.model, asked.document)
        versions = tuple(version for version, _ in weights)
        requests = self._requests(versions, experiment.unit or "", experiment.covariate)
        return experiment, weights, plan_experiment(own.project, own.lake, requests, experiment, weights, asked.at)

    def _requests(self, versions: tuple[int, ...], unit: str, covariate: str | None) -> UnitRequests:
        """How the requests of these versions are read."""
        model = self.own.model
        frozen = {number: self._frozen(number) for number in versions}
        for signature in frozen.values():
            check_covariate(signature, covariate, model.personal_columns)
        columns = {number: unit_column(signature, unit) for number, signature in frozen.items()}
        return UnitRequests(
            PredictionLog(self.own.lake), model.name, columns, unit_column(freeze(model), unit), covariate
        )

    def _frozen(self, number: int) -> Frozen:
        registry, name = self.own.registry, self.own.model.name
        return registry.frozen(name, registry.get(name, number).signature)


def _check_options(asked: AskedExperiment) -> None:
    for name in ("merge", "pairs"):
        if asked.document.get(name):
            raise InvalidInput(f"--{name} is of an interleaving; {_INSTEAD}", field=name)


_INSTEAD: Final = "add --kind interleaving, or leave it out"
