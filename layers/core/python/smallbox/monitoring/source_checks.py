"""The day's records of the sources that a model depends on."""

from dataclasses import dataclass

from smallbox.define.model import Model
from smallbox.define.project import Project
from smallbox.define.source import Source
from smallbox.ingestion.quarantine import Quarantine
from smallbox.monitoring.arrivals import arrivals_of
from smallbox.monitoring.check_rules import SourceDayStats
from smallbox.monitoring.watched_sources import watched_sources
from smallbox.ports import Blobs, Lake
from smallbox.registry.store import Registry
from smallbox.times import DAY, Micros, day_of


@dataclass(frozen=True, slots=True, eq=False)
class SourceDay:
    """A source, and what arrived from it on a day."""

    source: Source
    arrivals: SourceDayStats


class SourceChecks:
    """Reads what arrived."""

    def __init__(self, project: Project, registry: Registry, lake: Lake, blobs: Blobs) -> None:
        self._project = project
        self._registry = registry
        self._lake = lake
        self._quarantine = Quarantine(blobs)

    def of(self, model: Model, as_of: Micros) -> list[SourceDay]:
        """The day before a moment, of every source that the definition or a live version reads."""
        sources = watched_sources(self._project, self._registry, model)
        return [SourceDay(source, self._arrived(source, as_of, model.monitor.left_out_days)) for source in sources]

    def _arrived(self, source: Source, as_of: Micros, left_out: frozenset[int]) -> SourceDayStats:
        day = day_of(as_of - DAY)
        rejected = self._quarantine.count(source.name, day)
        rules = self._quarantine.rules(source.name, day) if rejected else {}
        return arrivals_of(self._lake, source, rejected, as_of, rules, left_out)
