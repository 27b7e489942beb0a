"""The predictions used to compare versions: served online, attribution window over, label known."""

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.define.rules import Label
from smallbox.labels.join import LABELLED
from smallbox.labels.table import of_objective, scored_columns, scored_rows
from smallbox.lake.names import labelled_table
from smallbox.lake.schemas import labelled_schema
from smallbox.objectives.measure import measure
from smallbox.objectives.objective import Objective, OutputValues
from smallbox.ports import Between, Lake
from smallbox.registry.routing import Routing
from smallbox.release.canary import ArmResult
from smallbox.release.estimate import Traffic
from smallbox.times import DAY, Micros

RECENT: Final[Micros] = 28 * DAY
"""How far back traffic is measured: whole weeks, to average out weekdays."""

_COLUMNS: Final = ("time", "event_time", "version", "arm", "status", "channel")


def arms(
    model: str, label: Label, baseline: OutputValues, lake: Lake, routing: Routing, now: Micros
) -> tuple[ArmResult, ArmResult]:
    """Losses of champion and challenger since the canary began; ``baseline``: the champion's constant outputs."""
    rows = _judged(model, label, lake, routing.since, now)
    champion, challenger = (
        _result(label.objective, baseline, rows.filter(pc.equal(rows["version"], version)))
        for version in (routing.champion, routing.challenger)
    )
    return champion, challenger


def traffic(model: str, label: Label, baseline: OutputValues, lake: Lake, now: Micros) -> Traffic | None:
    """The recent labelled traffic of all versions; ``None`` means there was none."""
    rows = _judged(model, label, lake, now - RECENT - label.within_micros, now)
    if not rows.num_rows:
        return None
    asked = rows["time"].to_numpy()
    delay = int(np.median(rows["event_time"].to_numpy() - asked)) + label.within_micros
    days = max((now - delay - int(asked.min())) / DAY, 1.0)
    return Traffic(_result(label.objective, baseline, rows), days, delay)


def _judged(model: str, label: Label, lake: Lake, since: Micros, now: Micros) -> pa.Table:
    """Labelled rows asked since a moment, closed windows only: in open ones one class may be known sooner (bias)."""
    schema = labelled_schema(label.objective)
    columns = [*_COLUMNS, *scored_columns(label.objective)]
    rows = lake.read(labelled_table(model), columns, Between("time", since, now), schema=schema)
    if rows is None:
        return schema.empty_table()
    is_over = pc.less_equal(pc.add(rows["event_time"], label.within_micros), now)
    is_served = pc.and_(pc.equal(rows["channel"], "online"), pc.not_equal(rows["arm"], "fallback"))
    is_known = pc.and_(pc.equal(rows["status"], LABELLED), of_objective(label.objective, rows))
    return rows.filter(pc.and_(pc.and_(is_over, is_served), is_known))


def _result(objective: Objective, baseline: OutputValues, rows: pa.Table) -> ArmResult:
    scored = scored_rows(objective, rows)
    metrics, hardness = measure(objective, scored), objective.losses(scored.beside(baseline)).values
    return ArmResult(objective.losses(scored).values, hardness, metrics["rarer_rows"], metrics["figures"])
