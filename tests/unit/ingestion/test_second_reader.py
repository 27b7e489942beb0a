"""A reader that is not ours: DuckDB, with its own Delta extension, both from PyPI."""

import importlib.util
import re
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from deltalake import DeltaTable

from infra.deployment import ROOT
from smallbox.aws.delta_lake import DeltaLake
from smallbox.define import Source, boolean, integer, number, text, timestamp
from smallbox.define.project import Project
from smallbox.ingestion.upkeep import UpkeepTask
from smallbox.lake.history import valid_at
from smallbox.lake.names import current_table, records_table
from smallbox.lake.schemas import records_to_table
from smallbox.records import Record
from smallbox.times import DAY, HOUR, parse_day
from tests.fakes.edges import FakeQueue
from tests.fakes.live import live_sources

FIELDS = {"id": text(), "at": timestamp(), "x": number(nullable=True), "late": boolean(nullable=True)}
source = Source("arrivals", "id", "at", FIELDS)
wider = Source("arrivals", "id", "at", FIELDS | {"gate": text(nullable=True), "seats": integer(nullable=True)})
LOG, CURRENT = records_table(source), current_table(source)
Value = str | float | int | bool | None
Setting = str | bool | int | float | list[str]
AS_OF = parse_day("2013-03-02")
"""The moment of the documentation's query."""


def _version(key: str, known_at: int, x: float | None, received_at: int = 0, **more: Value) -> Record:
    values: dict[str, Value] = {"id": key, "at": AS_OF - DAY, "x": x, "late": None if x is None else x > 0, **more}
    return Record("arrivals", key, AS_OF - DAY, known_at, received_at or known_at, values)


@pytest.fixture
def lake(tmp_path: Path) -> DeltaLake:
    """A log with corrections, repetitions, late knowledge and a field that came later, and upkeep in between."""
    lake = DeltaLake(str(tmp_path), options={}, slice_rows=50)
    project = Project({"arrivals": wider}, {}, {})
    keys = [f"20130301-UA-{n}-EWR-é" for n in range(200)]
    first = [_version(key, AS_OF - DAY + n, float(n)) for n, key in enumerate(keys)]
    lake.append(LOG, records_to_table(source, first))
    UpkeepTask(project, live_sources(project), lake, FakeQueue()).run({}, AS_OF - HOUR)
    corrected = [_version(key, AS_OF - HOUR // 2, None, gate="A1", seats=7) for key in keys[:40]]
    lake.append(LOG, records_to_table(wider, [*corrected, *corrected]))
    said_again = [_version(key, AS_OF - DAY + n, float(n), AS_OF) for n, key in enumerate(keys)]
    lake.append(LOG, records_to_table(source, said_again))
    lake.append(LOG, records_to_table(wider, [_version(key, AS_OF + HOUR, -1.0) for key in keys[:10]]))
    UpkeepTask(project, live_sources(project), lake, FakeQueue()).run({}, AS_OF)
    return lake


@pytest.fixture
def reader() -> duckdb.DuckDBPyConnection:
    """DuckDB that reaches for nothing on the network."""
    found = importlib.util.find_spec("duckdb_extension_delta")
    assert found is not None
    assert found.submodule_search_locations is not None
    (extension,) = Path(found.submodule_search_locations[0]).glob("extensions/*/delta.duckdb_extension")
    offline: dict[str, Setting] = {"autoinstall_known_extensions": False, "autoload_known_extensions": False}
    connection = duckdb.connect(config=offline)
    connection.execute(f"LOAD '{extension}'")
    return connection


def _view(reader: duckdb.DuckDBPyConnection, name: str, table: Path) -> duckdb.DuckDBPyConnection:
    return reader.execute(f"CREATE VIEW {name} AS SELECT * FROM delta_scan('{table}')")  # noqa: S608 our own folder


def _rows(table: pa.Table, names: list[str]) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = table.select(names).sort_by("key").to_pylist()
    return rows


def test_duckdb_reads_current_as_it_stands(lake: DeltaLake, reader: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """One row a key, with both times and every field, value for value what our own reader gives."""
    ours = lake.read(CURRENT)
    assert ours is not None
    theirs = _view(reader, "current", tmp_path / CURRENT).execute("SELECT * FROM current").to_arrow_table()
    assert set(theirs.column_names) == set(ours.column_names)
    assert len(theirs) == 200
    assert _rows(theirs, ours.column_names) == _rows(ours, ours.column_names)


def test_the_documented_query_reads_the_log(lake: DeltaLake, reader: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """The SQL of the documentation gives from the raw log what ``latest`` does."""
    (query,) = re.findall(r"```sql\n(.*?)```", (ROOT / "docs/reading-the-lake.md").read_text(), re.DOTALL)
    log = lake.read(LOG)
    assert log is not None
    assert len(log) == 200 + 80 + 200 + 10
    theirs = _view(reader, "log", tmp_path / LOG).execute(query).to_arrow_table()
    assert _rows(theirs, log.column_names) == _rows(valid_at(log, AS_OF), log.column_names)


def test_the_tables_ask_for_nothing_special(lake: DeltaLake, tmp_path: Path) -> None:
    """Any reader of Delta's first protocol version can read log and ``current``."""
    for table in (LOG, CURRENT):
        protocol = DeltaTable(str(tmp_path / table)).protocol()
        assert (protocol.min_reader_version, protocol.reader_features) == (1, None)
