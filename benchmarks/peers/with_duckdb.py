"""DuckDB, on two threads: running counts and sums by entity, joined as of the windows' edges with ``ASOF JOIN``."""

from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from benchmarks.peers.work import ENTITIES, WINDOWS, Floats, answers, edges

_RUNNING = """
create or replace temp table running as select {name}, time,
    row_number() over known as count, sum(ok::int) over known as sum
from events window known as (partition by {name} order by time rows unbounded preceding)
"""
_JOIN = """
select coalesce(r.count, 0)::bigint as count, coalesce(r.sum, 0)::bigint as sum
from (select {name}, {edge} as edge, number from asked) a
asof left join running r on a.{name} = r.{name} and a.edge > r.time
order by a.number
"""


def load(folder: Path) -> Any:
    """Native tables in memory; names of entities are enums, which DuckDB groups and joins by fastest."""
    connection = duckdb.connect(config={"threads": 2})
    events, questions = folder / "events.parquet", folder / "questions.parquet"
    for name in ENTITIES:
        connection.sql(f"create type {name}_name as enum (select distinct {name} from '{events}' order by 1)")  # noqa: S608
    kinds = ", ".join(f"{name}::{name}_name as {name}" for name in ENTITIES)
    connection.sql(f"create table events as select time, ok, {kinds} from '{events}'")  # noqa: S608
    connection.sql(f"create table questions as select as_of, {kinds} from '{questions}'")  # noqa: S608
    return connection


def run(connection: Any) -> Floats:
    """The answers."""
    return np.hstack([_entity(connection, name) for name in ENTITIES])


def _entity(connection: Any, name: str) -> Floats:
    as_of = connection.sql("select as_of from questions").fetchnumpy()["as_of"]
    end, starts = edges(as_of)
    names = ["end_edge", *(f"start_{window}" for window in WINDOWS)]
    connection.register("moments", dict(zip(names, (end, *starts), strict=True)))
    connection.sql(
        f"create or replace temp table asked as select q.{name}, m.*, row_number() over () as number "  # noqa: S608
        f"from questions q positional join moments m"
    )
    connection.sql(_RUNNING.format(name=name))
    found = [connection.sql(_JOIN.format(name=name, edge=edge)).fetchnumpy() for edge in names]
    counts, sums = ([part[kind] for part in found] for kind in ("count", "sum"))
    return answers([counts[0] - begin for begin in counts[1:]], [sums[0] - begin for begin in sums[1:]])
