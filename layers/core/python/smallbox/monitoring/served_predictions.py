"""The predictions of a week, from the prediction log."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.define.model import Model
from smallbox.define.project import Project
from smallbox.lake.predictions import PredictionLog
from smallbox.ports import Between, Lake
from smallbox.records import Channel
from smallbox.registry.store import Registry
from smallbox.times import DAY, WEEK, Micros
from smallbox.training.profile import profile


class Served:
    """Reads the log, and selects the rows that can be compared with a reference."""

    def __init__(self, project: Project, lake: Lake, registry: Registry) -> None:
        self._registry = registry
        self._log = PredictionLog(project, lake)

    def week(self, model: Model, as_of: Micros) -> pa.Table:
        """The predictions asked for in the seven days before a moment."""
        return self._log.read(model.name, Between("time", as_of - WEEK, as_of))

    def comparable(self, model: Model, rows: pa.Table, channel: Channel) -> pa.Table:
        """The rows of a channel that were answered by versions with the definition's columns; no fallback answers."""
        rows = rows.filter(pc.and_(pc.equal(rows["channel"], channel), pc.not_equal(rows["arm"], "fallback")))
        numbers = pc.unique(rows["version"]).to_pylist()
        own = [n for n in numbers if self._registry.get(model.name, n).columns == list(model.columns.names)]
        return rows.filter(pc.is_in(rows["version"], value_set=pa.array(own, pa.int64())))


def is_whole(rows: pa.Table, as_of: Micros) -> bool:
    """Whether rows of the week before a moment span the whole week."""
    return bool(rows.num_rows) and pc.min(rows["time"]).as_py() < as_of - WEEK + DAY


def profile_of(model: Model, rows: pa.Table, reference: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The distributions of inputs and scores in rows of the log; with a reference, in its bins."""
    values = {name: rows[name].to_numpy().astype(np.float32) for name in (*model.columns.numeric, "score")}
    texts = {name: np.array(rows[name].to_pylist(), dtype=object) for name in model.columns.categorical}
    return profile(model.columns, {**values, **texts}, reference)
