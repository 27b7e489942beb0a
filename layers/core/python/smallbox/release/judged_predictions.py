"""The predictions used to compare versions: served online, attribution window over, label known."""

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.define.rules import Label
from smallbox.labels.join import LABELLED
from smallbox.lake.names import labelled_table
from smallbox.ports import Between, Lake
from smallbox.registry.routing import Routing
from smallbox.release.canary import ArmResult
from smallbox.release.estimate import Traffic
from smallbox.times import DAY, Micros

RECENT: Final[Micros] = 28 * DAY
"""How far back traffic is measured: whole weeks, to average out weekdays."""

_COLUMNS: Final = ("time", "event_time", "version", "arm", "score", "label", "status", "channel")


def arms(model: str, label: Label, lake: Lake, routing: Routing, now: Micros) -> tuple[ArmResult, ArmResult]:
    """Scores and labels of champion and challenger since the canary began."""
    rows = _judged(model, label, lake, routing.since, now)
    champion, challenger = (
        _result(rows.filter(pc.equal(rows["version"], version))) for version in (routing.champion, routing.challenger)
    )
    return champion, challenger


def traffic(model: str, label: Label, lake: Lake, now: Micros) -> Traffic | None:
    """The recent labelled traffic of all versions; ``None`` means there was none."""
    rows = _judged(model, label, lake, now - RECENT - label.within_micros, now)
    if not rows.num_rows:
        return None
    asked = rows["time"].to_numpy()
    delay = int(np.median(rows["event_time"].to_numpy() - asked)) + label.within_micros
    days = max((now - delay - int(asked.min())) / DAY, 1.0)
    return Traffic(_result(rows), days, delay)


def _judged(model: str, label: Label, lake: Lake, since: Micros, now: Micros) -> pa.Table:
    """Labelled rows asked since a moment, closed windows only: in open ones one class may be known sooner (bias)."""
    rows = lake.read(labelled_table(model), _COLUMNS, Between("time", since, now))
    if rows is None:
        return pa.table({name: [] for name in _COLUMNS})
    is_over = pc.less_equal(pc.add(rows["event_time"], label.within_micros), now)
    is_served = pc.and_(pc.equal(rows["channel"], "online"), pc.not_equal(rows["arm"], "fallback"))
    return rows.filter(pc.and_(pc.and_(is_over, is_served), pc.equal(rows["status"], LABELLED)))


def _result(rows: pa.Table) -> ArmResult:
    labels = np.array([bool(label) for label in rows["label"].to_pylist()], dtype=bool)
    return ArmResult(rows["score"].to_numpy().astype(float), labels)
