"""The experiments of a model: what is stored of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from smallbox.define.model import Model
from smallbox.define.project import Project
from smallbox.ports import Lake
from smallbox.registry.routing import RunningExperiment
from smallbox.registry.store import Registry
from smallbox.release.experiment_record import ExperimentRecord, KeptExperiment
from smallbox.release.interleaving_record import InterleavingRecord

_RECORDS: Final[Mapping[str, Callable[[Mapping[str, Any]], KeptExperiment]]] = {
    "ab": ExperimentRecord.from_json,
    "interleaving": InterleavingRecord.from_json,
}


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

    def records(self) -> list[KeptExperiment]:
        """The experiments, in the order in which they began."""
        found = (_record_of(one) for one in self.registry.experiments(self.model.name))
        return sorted(found, key=lambda one: one.running.since)

    def record(self, name: str) -> KeptExperiment | None:
        """One experiment; ``None`` when there is none of that name."""
        document = self.registry.experiment(self.model.name, name)
        return None if document is None else _record_of(document)

    def keep(self, record: KeptExperiment) -> None:
        """Store a record.

        Raises:
            Conflict: when another writer has changed it since it was read.
        """
        self.registry.keep_experiment(self.model.name, record.running.name, record.as_json())

    def running(self) -> RunningExperiment | None:
        """The experiment that decides who answers."""
        routing = self.registry.routing(self.model.name)
        return None if routing is None else routing.experiment


def _record_of(document: Mapping[str, Any]) -> KeptExperiment:
    return _RECORDS[document["kind"]](document)


def for_people(record: KeptExperiment) -> dict[str, Any]:
    """A record without what only the next look reads."""
    document: Mapping[str, Any] = record.as_json()
    hidden = {"sums", "revision", "tuned_for"}
    return cast("dict[str, Any]", {name: value for name, value in document.items() if name not in hidden})
