"""Proves that the upkeep says when it is due, and that one that is asked only then does nothing before."""

import pyarrow as pa

from smallbox.define import Source, text, timestamp
from smallbox.define.project import Project, project_of
from smallbox.ingestion.upkeep import MAX_FILES, UpkeepTask, why_due
from smallbox.lake.names import records_table
from smallbox.lake.schemas import record_schema
from tests.fakes.edges import FakeQueue
from tests.fakes.lake import FakeLake
from tests.fakes.live import live_sources
from tests.fakes.small import late_parcel

NOW = 1_000_000
source = Source("s", "id", "at", {"id": text(), "at": timestamp()}, known_after="0s")
LOG = records_table(source)


def _rows(key: int) -> pa.Table:
    row = {"key": f"k{key}", "time": 1, "known_at": 1, "received_at": 1, "digest": f"{key:032x}", "id": "k", "at": 1}
    return pa.Table.from_pylist([row], record_schema(source))


def test_upkeep_is_due_when_a_table_has_many_files() -> None:
    """Up to the limit there is nothing to say; above it every such table is named with its number of files."""
    assert why_due({}) is None
    assert why_due({"a": MAX_FILES, "b": 0}) is None
    assert why_due({"a": MAX_FILES + 1, "b": 1, "c": 1_234}) == (
        f"a has {MAX_FILES + 1} files and c has 1,234 files, and a reader opens each of them"
    )


def test_an_upkeep_that_is_not_due_touches_nothing() -> None:
    """Asked to run only when it is due, it writes no table; one file more, and it runs and says why."""
    lake = FakeLake()
    upkeep = UpkeepTask(Project({"s": source}, {}, {}), live_sources(Project({"s": source}, {}, {})), lake, FakeQueue())
    for key in range(MAX_FILES):
        lake.append(LOG, _rows(key))
    before = lake.version(LOG)
    assert upkeep.run({"only_when_due": True}, NOW)["due"] is None
    assert (lake.version(LOG), lake.files(LOG)) == (before, MAX_FILES)
    lake.append(LOG, _rows(MAX_FILES))
    answer = upkeep.run({"only_when_due": True}, NOW)
    assert answer["due"] == f"{LOG} has {MAX_FILES + 1} files, and a reader opens each of them"
    assert answer["current"]["s"]["written"] == MAX_FILES + 1
    assert lake.files(LOG) == 1


def test_the_tables_of_models_are_counted() -> None:
    """A prediction log of many files makes the upkeep due as a source's log does."""
    lake = FakeLake()
    for at in range(MAX_FILES + 1):
        lake.append("predictions/late_parcel", pa.table({"time": [at]}))
    project = Project({}, {}, {"late_parcel": late_parcel})
    answer = UpkeepTask(project, live_sources(project), lake, FakeQueue()).run({"only_when_due": True}, NOW)
    assert answer["due"].startswith("predictions/late_parcel has")
    assert lake.files("predictions/late_parcel") == 1


def test_a_removed_source_whose_views_still_leave_is_not_rebuilt() -> None:
    """The rebuild does not know the source any more, so its message would only fail."""
    rebuild, before = FakeQueue(), project_of([late_parcel])
    UpkeepTask(Project({}, {}, {}), live_sources(before), FakeLake(), rebuild).run({}, NOW)
    assert rebuild.messages == []
    UpkeepTask(before, live_sources(before), FakeLake(), rebuild).run({}, NOW)
    assert rebuild.messages
