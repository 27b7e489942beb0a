"""The experiments of a model: what is stored of them, and the looks at one."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

from smallbox.define.frozen import freeze
from smallbox.define.model import Model
from smallbox.define.project import Project
from smallbox.lake.predictions import PredictionLog
from smallbox.ports import Lake
from smallbox.registry.routing import RunningExperiment
from smallbox.registry.store import Registry
from smallbox.release.experiment_columns import Frozen, UnitRequests, check_covariate, unit_column
from smallbox.release.experiment_look import ExperimentLooks
from smallbox.release.experiment_record import ExperimentRecord
from smallbox.release.experiment_verdict import in_short, judged_experiment
from smallbox.release.exposures import ExposureBook
from smallbox.times import Micros


@dataclass(frozen=True, slots=True)
class ModelExperiments:
    """The experiments of one model.

    Attributes:
        project: the definitions.
        lake: the tables.
        registry: the records.
        model: the model.
    """

    project: Project
    lake: Lake
    registry: Registry
    model: Model

    def records(self) -> list[ExperimentRecord]:
        """The A/B experiments, in the order in which they began."""
        documents = (one for one in self.registry.experiments(self.model.name) if one["kind"] == "ab")
        return sorted((ExperimentRecord.from_json(one) for one in documents), key=lambda one: one.running.since)

    def record(self, name: str) -> ExperimentRecord | None:
        """One A/B experiment; ``None`` when there is none of that name."""
        document = self.registry.experiment(self.model.name, name)
        return None if document is None or document["kind"] != "ab" else ExperimentRecord.from_json(document)

    def keep(self, record: ExperimentRecord) -> None:
        """Store a record.

        Raises:
            Conflict: when another writer has changed it since it was read.
        """
        self.registry.keep_experiment(self.model.name, record.running.name, record.as_json())

    def requests(self, versions: tuple[int, ...], unit: str, covariate: str | None) -> UnitRequests:
        """How the requests of these versions are read.

        Raises:
            InvalidInput: when the log of one of them does not have the unit or the covariate.
            NotFound: no such version.
        """
        frozen = {number: self._frozen(number) for number in versions}
        for signature in frozen.values():
            check_covariate(signature, covariate, self.model.personal_columns)
        columns = {number: unit_column(signature, unit) for number, signature in frozen.items()}
        deployed = unit_column(freeze(self.model), unit)
        return UnitRequests(PredictionLog(self.lake), self.model.name, columns, deployed, covariate)

    def _frozen(self, number: int) -> Frozen:
        return self.registry.frozen(self.model.name, self.registry.get(self.model.name, number).signature)

    def looked(self, record: ExperimentRecord, as_of: Micros, *, is_kept: bool) -> ExperimentRecord:
        """The record with a look as of a moment; with ``is_kept`` the new exposures are written."""
        running, experiment = record.running, record.experiment
        book = ExposureBook(self.lake, self.model.name, running.name, running.since, is_kept)
        requests = self.requests(running.versions, running.unit, experiment.covariate)
        looks = ExperimentLooks(self.project, self.lake, running, experiment, requests, book)
        judged = replace(record, sums=looks.forward(record.sums, as_of))
        result = judged_experiment(judged, as_of)
        before = tuple(day for day in record.days if day["as_of"] != result["as_of"])
        return replace(judged, result=result, days=(*before, in_short(result)))

    def running(self) -> RunningExperiment | None:
        """The A/B experiment that decides who answers."""
        routing = self.registry.routing(self.model.name)
        found = None if routing is None else routing.experiment
        return found if found is not None and found.kind == "ab" else None


def for_people(record: ExperimentRecord) -> dict[str, Any]:
    """A record without its sums."""
    document: Mapping[str, Any] = record.as_json()
    hidden = {"sums", "revision", "tuned_for"}
    return cast("dict[str, Any]", {name: value for name, value in document.items() if name not in hidden})
