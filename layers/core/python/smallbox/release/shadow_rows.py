"""The rows that a shadow is judged on: logged requests, and labelled predictions of the champion."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.define.rules import Label
from smallbox.labels.join import LABELLED
from smallbox.labels.table import of_objective, scored_columns
from smallbox.lake.names import labelled_table
from smallbox.lake.predictions import PredictionLog, of_versions, without_cause
from smallbox.lake.schemas import labelled_schema
from smallbox.ports import Between, Lake
from smallbox.records import digest_of
from smallbox.table_columns import GROUP, SETTLES_FROM
from smallbox.times import Micros

_COLUMNS = ("id", "key", "time", "version", "arm", "status", "channel")
_HASHES = 2**32


class ShadowRows:
    """Reads the log and the labels. Only what callers asked over HTTPS counts, and no answer of the fallback.

    Args:
        lake: has both.
        max_rows: of more rows a sample is taken by their keys, or by the groups of a ranking.
    """

    def __init__(self, lake: Lake, max_rows: int) -> None:
        self._lake = lake
        self._log = PredictionLog(lake)
        self._max_rows = max_rows

    def asked(self, model: str, versions: tuple[int, ...], between: Between) -> pa.Table:
        """The requests that these versions answered in a range of ``time``."""
        rows = self._log.read(model, between)
        return self._sample(_online(of_versions(rows, versions)))

    def labelled(self, model: str, label: Label, champion: int, between: Between, since: Micros) -> pa.Table:
        """The champion's predictions with a label, whose windows began in a range; asked since a moment."""
        schema = labelled_schema(label.objective)
        columns = list(dict.fromkeys([*_COLUMNS, *scored_columns(label.objective)]))
        rows = self._lake.read(labelled_table(model), columns, between, schema=schema)
        if rows is None:
            return schema.empty_table().select(columns)
        known = pc.and_(pc.equal(rows["status"], LABELLED), of_objective(label.objective, rows))
        own = pc.and_(pc.equal(rows["version"], champion), pc.greater_equal(rows["time"], since))
        rows = rows.filter(pc.and_(known, own))
        served = pc.and_(pc.equal(rows["channel"], "online"), pc.not_equal(rows["arm"], "fallback"))
        return self._sample(rows.filter(served))

    def logged(self, model: str, labelled: pa.Table) -> pa.Table:
        """The rows of the log that labelled predictions are about."""
        times = labelled["time"]
        rows = self._log.read(model, Between("time", pc.min(times).as_py(), pc.max(times).as_py() + 1))
        return rows.filter(pc.is_in(rows["id"], value_set=labelled["id"].combine_chunks()))

    def _sample(self, rows: pa.Table) -> pa.Table:
        share = self._max_rows / max(rows.num_rows, 1)
        if share >= 1:
            return rows
        units = rows[GROUP if GROUP in rows.column_names else "key"].to_pylist()
        kept = [int(digest_of(str(unit).encode())[:8], 16) / _HASHES < share for unit in units]
        return rows.filter(pa.array(np.array(kept, bool)))


def _online(rows: pa.Table) -> pa.Table:
    served = pc.and_(pc.equal(rows["channel"], "online"), pc.not_equal(rows["arm"], "fallback"))
    return without_cause(rows.filter(served), "version")


def started_in(start: Micros, end: Micros) -> Between:
    """The range of predictions whose attribution window began in it."""
    return Between(SETTLES_FROM, start, end)
