"""Exposures: which unit was answered by which version of an experiment first, and when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from smallbox.lake.names import exposures_table
from smallbox.lake.schemas import exposure_schema
from smallbox.ports import Between, Lake
from smallbox.registry.assignment import arm_of
from smallbox.registry.routing import Routing, RunningExperiment
from smallbox.release.experiment_columns import UnitRequests, first_of_each_unit
from smallbox.times import Micros

EXPERIMENT_ARMS: Final = ("experiment", "fallback")
"""The arms of requests that an experiment assigned: by its version, or by the fallback where that could not answer."""


@dataclass(slots=True)
class ExposureBook:
    """The exposures of one experiment.

    Attributes:
        lake: the tables.
        model: the model's name.
        name: the experiment's.
        since: when it began, in microseconds.
        is_kept: whether new exposures are written; otherwise they are only remembered, by who shows a result.
        unwritten: those that are only remembered.
    """

    lake: Lake
    model: str
    name: str
    since: Micros
    is_kept: bool = True
    unwritten: list[pa.Table] = field(default_factory=list)

    def add(self, rows: pa.Table) -> None:
        """Add the exposures of units that have none yet; adding them again changes nothing."""
        known = self._read(Between("time", self.since, _after(rows)), rows["unit"])
        new = rows.filter(pc.invert(pc.is_in(rows["unit"], value_set=known["unit"].combine_chunks())))
        if self.is_kept:
            self.lake.append(exposures_table(self.model), new)
        else:
            self.unwritten.append(new)

    def between(self, start: Micros, end: Micros) -> pa.Table:
        """The exposures whose first request was in ``[start, end)``, each unit once."""
        rows = self._read(Between("time", start, end), None)
        return rows.take(_firsts(rows))

    def _read(self, between: Between, units: pa.ChunkedArray | None) -> pa.Table:
        schema, table = exposure_schema(), exposures_table(self.model)
        if units is None:
            rows = self.lake.read(table, schema.names, between, schema=schema)
        else:
            rows = self.lake.read(table, schema.names, between, units, key="unit", schema=schema)
        stored = schema.empty_table() if rows is None else rows.select(schema.names).cast(schema)
        stored = stored.filter(pc.equal(stored["experiment"], self.name))
        own = pa.concat_tables([schema.empty_table(), *self.unwritten])
        inside = pc.and_(pc.greater_equal(own["time"], between.start), pc.less(own["time"], between.end))
        return pa.concat_tables([stored, own.filter(inside)])


def _after(rows: pa.Table) -> Micros:
    return (pc.max(rows["time"]).as_py() or 0) + 1


def _firsts(rows: pa.Table) -> pa.Array:
    """The place of each unit's first row: a retried writer may have written one twice."""
    numbered = rows.select(["unit"]).append_column("row", pa.array(range(rows.num_rows), pa.int64()))
    return numbered.group_by("unit").aggregate([("row", "min")])["row_min"]


def first_exposures(running: RunningExperiment, requests: UnitRequests, start: Micros, end: Micros) -> pa.Table:
    """The first request of each unit in ``[start, end)``, with the version that the unit is assigned to.

    A request that the fallback answered counts for the version that its unit is assigned to: leaving it out would
    favour a version that fails.
    """
    rows = first_of_each_unit(requests.between(start, end, EXPERIMENT_ARMS))
    answered = pc.equal(rows["arm"], "experiment")
    numbers = _assigned(running, rows)
    table = {
        "experiment": pa.array([running.name] * rows.num_rows, pa.string()),
        **{name: rows[name] for name in ("unit", "key", "time")},
        "version": numbers,
        "answered": answered,
        "covariate": rows["covariate"],
    }
    found = pa.table(table).select(exposure_schema().names).cast(exposure_schema())
    return found.filter(pc.is_in(found["version"], value_set=pa.array(running.versions, pa.int64())))


def _assigned(running: RunningExperiment, rows: pa.Table) -> pa.Array:
    """The version that answered; where the fallback did, the one that the unit is assigned to."""
    parts = zip(rows["arm"].to_pylist(), rows["version"].to_pylist(), rows["unit"].to_pylist(), strict=True)
    return pa.array(
        [version if arm == "experiment" else _version_of(running, unit) for arm, version, unit in parts], pa.int64()
    )


def _version_of(running: RunningExperiment, unit: str) -> int | None:
    """The version that a unit is assigned to; ``None`` outside the experiment."""
    arm, version = arm_of(Routing(champion=0, experiment=running), unit)
    return version if arm == "experiment" else None


def counts_of(versions: Sequence[int], rows: pa.Table) -> Mapping[int, int]:
    """How many rows each version has."""
    found = {one["values"]: one["counts"] for one in pc.value_counts(rows["version"]).to_pylist()}
    return {version: found.get(version, 0) for version in versions}
