"""One look at a running experiment: the exposures since the last one, and the units whose windows have ended."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pyarrow as pa

from smallbox.define.experiments import Experiment, Outcome
from smallbox.define.project import Project
from smallbox.ports import Lake
from smallbox.registry.routing import RunningExperiment
from smallbox.release.experiment_columns import UnitRequests
from smallbox.release.experiment_sums import ExperimentSums, OutcomeSums, UnitCount
from smallbox.release.exposures import ExposureBook, counts_of, first_exposures
from smallbox.release.unit_outcomes import ReadRequests, unit_outcomes
from smallbox.statistics.covariate_adjustment import CovariateFit
from smallbox.times import DAY, Micros


@dataclass(frozen=True, slots=True)
class ExperimentLooks:
    """Brings an experiment's sums forward, day by day.

    A day reads the requests of the day, the units among them that are exposed already, and for each outcome the
    exposures, the records and, where it is joined by the key, the requests of one window. So it costs the same however
    long the experiment has run.

    Attributes:
        project: the sources.
        lake: the tables.
        running: the experiment.
        experiment: what it measures.
        requests: reads its requests.
        book: its exposures.
    """

    project: Project
    lake: Lake
    running: RunningExperiment
    experiment: Experiment
    requests: UnitRequests
    book: ExposureBook

    def forward(self, sums: ExperimentSums, as_of: Micros) -> ExperimentSums:
        """The sums as of a moment; a moment that is not later than theirs changes nothing."""
        while sums.as_of < as_of:
            sums = self._day(sums, min((sums.as_of // DAY + 1) * DAY, as_of))
        return sums

    def _day(self, sums: ExperimentSums, until: Micros) -> ExperimentSums:
        self.book.add(first_exposures(self.running, self.requests, sums.as_of, until))
        new = self.book.between(sums.as_of, until)  # a retry finds them written already
        sums = self._exposed(self._exposed(sums, "assigned", new), "answered", new.filter(new["answered"]))
        for outcome in self.experiment.outcomes:
            found = self._closed(outcome, sums.outcomes[outcome.name], until - outcome.within_micros)
            sums = replace(sums, outcomes={**sums.outcomes, outcome.name: found})
        main = sums.outcomes[self.experiment.outcome.name]
        counts = {version: main.units(version) for version in self.running.versions}
        return replace(sums.with_counts("measured", counts, self.running.weights), as_of=until)

    def _exposed(self, sums: ExperimentSums, kind: UnitCount, new: pa.Table) -> ExperimentSums:
        seen, counts = sums.ratios[kind].counts, counts_of(self.running.versions, new)
        total = {version: seen.get(version, 0) + counts[version] for version in counts}
        return sums.with_counts(kind, total, self.running.weights)

    def _closed(self, outcome: Outcome, sums: OutcomeSums, until: Micros) -> OutcomeSums:
        """With the units first exposed before a moment: their windows are over."""
        if until <= sums.closed_until:
            return sums
        units, source = self.book.between(sums.closed_until, until), self.project.source(outcome.source_name)
        values = unit_outcomes(outcome, source, self.lake, units, requests_for(self.requests, units))
        return sums.with_units(units["version"].to_numpy(), values, units["covariate"].to_numpy(), until)


def requests_for(requests: UnitRequests, units: pa.Table) -> ReadRequests:
    """Reads the requests of units; where the unit is the key itself, the units are enough."""
    if {requests.otherwise, *requests.columns.values()} == {"key"}:
        return lambda _start, _end: units
    return requests.between


def no_sums(experiment: Experiment, since: Micros, fits: Mapping[str, CovariateFit]) -> ExperimentSums:
    """The sums of an experiment that begins, with what earlier units said of the covariate, by outcome."""
    outcomes = {one.name: OutcomeSums(since, fit=fits.get(one.name, CovariateFit())) for one in experiment.outcomes}
    return ExperimentSums(since, outcomes)
