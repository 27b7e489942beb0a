"""The outcome of each unit of an experiment: the sum of a field over the records that are its own."""

from collections.abc import Callable
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.arrays import Floats
from smallbox.define.experiments import Outcome
from smallbox.define.source import Source
from smallbox.errors import NotReady
from smallbox.lake.history import FOREVER, valid_at
from smallbox.lake.names import records_table
from smallbox.lake.schemas import record_schema
from smallbox.ports import Between, Lake
from smallbox.times import Micros

_VERSIONS: Final = ("key", "time", "known_at", "received_at", "digest")

ReadRequests = Callable[[Micros, Micros], pa.Table]
"""Reads the requests of ``[start, end)`` with ``unit``, ``key`` and ``time``."""


def unit_outcomes(outcome: Outcome, source: Source, lake: Lake, units: pa.Table, requests: ReadRequests) -> Floats:
    """The outcome of each unit; NaN for one that does not count.

    It reads the records that became known from the first exposure of these units to the end of the last window and,
    where the outcome is joined by the key of a unit with several requests, the requests of this time.

    Args:
        outcome: what is summed.
        source: its source.
        lake: the records.
        units: ``unit``, ``key`` and ``time``, the first exposure, of each unit once, whose windows are over.
        requests: the requests of units.

    Raises:
        NotReady: when the source has lost a field that it needs.
    """
    gone = [name for name in (outcome.on, outcome.value) if name not in source.fields]
    if gone:
        raise NotReady(f"source {source.name} has no field {gone[0]!r} any more; stop what measures {outcome.name}")
    if not units.num_rows:
        return np.empty(0)
    owners = _owners(outcome, units, requests)
    span = pc.min_max(units["time"]).as_py()
    known = Between("known_at", span["min"] + 1, span["max"] + outcome.within_micros + 1)
    rows = _records(outcome, source, lake, known, owners["owner"])
    at = pc.index_in(rows["owner"], value_set=owners["owner"].combine_chunks())
    row = np.asarray(owners["unit_row"])[np.asarray(at, np.int64)]
    since = units["time"].to_numpy()[row]
    known_at = rows["known_at"].to_numpy()
    counts = (known_at > since) & (known_at <= since + outcome.within_micros)
    if outcome.by == "unit":
        counts &= rows["time"].to_numpy() >= since
    own = rows.append_column("unit_row", pa.array(row)).filter(pa.array(counts))
    return _sums(outcome, valid_at(own, FOREVER), units.num_rows)


def _owners(outcome: Outcome, units: pa.Table, requests: ReadRequests) -> pa.Table:
    """By value of the outcome's field, the row of the unit that it belongs to."""
    rows = pa.array(np.arange(units.num_rows))
    if outcome.by == "unit":
        return pa.table({"owner": units["unit"], "unit_row": rows})
    span = pc.min_max(units["time"]).as_py()
    asked = requests(span["min"], span["max"] + outcome.within_micros)
    at = pc.index_in(asked["unit"], value_set=units["unit"].combine_chunks())
    asked = asked.append_column("unit_row", at).filter(pc.is_valid(at))
    since = units["time"].to_numpy()[np.asarray(asked["unit_row"])]
    time = asked["time"].to_numpy()
    own = asked.filter(pa.array((time >= since) & (time < since + outcome.within_micros)))
    found = own.group_by("key").aggregate([("unit_row", "min")])
    return pa.table({"owner": found["key"], "unit_row": found["unit_row_min"].cast(pa.int64())})


def _records(outcome: Outcome, source: Source, lake: Lake, known: Between, owners: pa.ChunkedArray) -> pa.Table:
    """Every version of the records of these owners that became known in a range."""
    schema = record_schema(source)
    columns = list(dict.fromkeys((*_VERSIONS, outcome.on, outcome.value)))
    wanted = owners if source.fields[outcome.on].type == "text" else None
    rows = lake.read(records_table(source), columns, known, wanted, key=outcome.on, schema=schema)
    rows = schema.empty_table().select(columns) if rows is None else rows
    named = rows.append_column("owner", rows[outcome.on].cast(pa.string()))
    return named.filter(pc.is_in(named["owner"], value_set=owners.combine_chunks()))


def _sums(outcome: Outcome, rows: pa.Table, units: int) -> Floats:
    values = pc.fill_null(rows[outcome.value].cast(pa.float64()), 0.0).to_numpy()
    row = rows["unit_row"].to_numpy()
    otherwise = np.nan if outcome.otherwise is None else outcome.otherwise
    found = np.bincount(row, minlength=units) > 0
    return np.where(found, np.bincount(row, values, minlength=units), otherwise)
