"""The rows that a shadow is judged on: logged requests, and labelled predictions of the champion."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.define.rules import Label
from smallbox.labels.join import LABELLED
from smallbox.labels.table import judged_columns, of_objective, of_one_version
from smallbox.lake.names import labelled_table
from smallbox.lake.predictions import PredictionLog, of_versions, without_cause
from smallbox.lake.schemas import labelled_schema, prediction_schema
from smallbox.lake.spans import spans_of
from smallbox.ports import Between, Lake
from smallbox.records import digest_of
from smallbox.table_columns import GROUP, SETTLES_FROM
from smallbox.times import Micros

_COLUMNS = ("id", "key", "time", "version", "arm", "status", "channel")
_HASHES = 2**32


class ShadowRows:
    """Reads the log and the labels: what callers asked over HTTPS, without fallback answers and interleaved lists.

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
        count, spans = self._spans(model, between)
        share = self._max_rows / max(count, 1)
        parts = [_online(of_versions(self._log.read(model, span), versions)) for span in spans]
        return _together([_sampled(part, share) for part in parts])

    def labelled(self, model: str, label: Label, champion: int, between: Between, since: Micros) -> pa.Table:
        """The champion's predictions with a label, whose windows began in a range; asked since a moment."""
        schema = labelled_schema(label.objective)
        columns = list(dict.fromkeys([*_COLUMNS, *judged_columns(label.objective)]))
        rows = self._lake.read(labelled_table(model), columns, between, schema=schema)
        if rows is None:
            return schema.empty_table().select(columns)
        known = pc.and_(pc.equal(rows["status"], LABELLED), of_objective(label.objective, rows))
        own = pc.and_(pc.equal(rows["version"], champion), pc.greater_equal(rows["time"], since))
        rows = rows.filter(pc.and_(known, own))
        served = pc.and_(pc.equal(rows["channel"], "online"), pc.not_equal(rows["arm"], "fallback"))
        known_rows = of_one_version(rows.filter(served))
        return _sampled(known_rows, self._max_rows / max(known_rows.num_rows, 1))

    def logged(self, model: str, labelled: pa.Table) -> pa.Table:
        """The rows of the log that labelled predictions are about."""
        times, ids = labelled["time"], labelled["id"].combine_chunks()
        between = Between("time", pc.min(times).as_py(), pc.max(times).as_py() + 1)
        parts = (self._log.read(model, span) for span in self._spans(model, between)[1])
        return _together([part.filter(pc.is_in(part["id"], value_set=ids)) for part in parts])

    def _spans(self, model: str, between: Between) -> tuple[int, list[Between]]:
        """The number of rows in a range, and parts of it that fit into memory."""
        moments = [time for time, _ in self._log.moments(model, between)]
        return sum(len(times) for times in moments), list(spans_of(iter(moments), between))


def _together(parts: list[pa.Table]) -> pa.Table:
    return pa.concat_tables(parts, promote_options="default") if parts else prediction_schema({}).empty_table()


def _sampled(rows: pa.Table, share: float) -> pa.Table:
    """A share of the keys, or of the groups of a ranking; the same ones whenever they are asked for."""
    if share >= 1:
        return rows
    units = rows[GROUP if GROUP in rows.column_names else "key"].to_pylist()
    kept = [int(digest_of(str(unit).encode())[:8], 16) / _HASHES < share for unit in units]
    return rows.filter(pa.array(np.array(kept, bool)))


def _online(rows: pa.Table) -> pa.Table:
    served = pc.and_(pc.equal(rows["channel"], "online"), pc.not_equal(rows["arm"], "fallback"))
    return of_one_version(without_cause(rows.filter(served), "version"))


def started_in(start: Micros, end: Micros) -> Between:
    """The range of predictions whose attribution window began in it."""
    return Between(SETTLES_FROM, start, end)
