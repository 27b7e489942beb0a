"""What only Delta Lake on a folder can show: which files lie there, who loses a race, how long the log is."""

import os
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from deltalake.exceptions import CommitFailedError

from smallbox.aws import delta_lake as lake_module
from smallbox.aws.delta_lake import DeltaLake
from smallbox.define import Source, number, text, timestamp
from smallbox.define.project import Project
from smallbox.errors import Unavailable
from smallbox.ingestion.upkeep import UpkeepTask
from smallbox.lake.current_rows import bring_forward
from smallbox.lake.history import history, valid_at
from smallbox.lake.names import current_table, records_table
from smallbox.lake.schemas import records_to_table
from smallbox.ports import Between
from smallbox.records import Record
from tests.fakes.edges import FakeQueue
from tests.fakes.live import live_sources

source = Source("s", "id", "at", {"id": text(), "at": timestamp(), "x": number()})
LOG, CURRENT = records_table(source), current_table(source)
project = Project({"s": source}, {}, {})
LAST = 1_000


def rows_of(*keys: str, known_at: int = 1, x: float = 0) -> pa.Table:
    """One version of each key."""
    records = [Record("s", key, 1, known_at, known_at, {"id": key, "at": 1, "x": x}) for key in keys]
    return records_to_table(source, records)


def files(folder: Path, table: str) -> set[str]:
    """The names of the data files that lie there, whether or not the table still holds them."""
    return {path.name for path in (folder / table).glob("*.parquet")}


def new(folder: Path, retention_hours: int = 0) -> DeltaLake:
    """A lake as a process that has just started sees it."""
    return DeltaLake(str(folder), options={}, retention_hours=retention_hours)


def test_vacuum_removes_what_was_replaced_and_nothing_else(tmp_path: Path) -> None:
    """After upkeep a log of many small files is one file on the disk too, and holds the same rows."""
    lake = new(tmp_path)
    for n in range(5):
        lake.append(LOG, rows_of(f"k{n}"))
    before = lake.read(LOG)
    assert before is not None
    UpkeepTask(project, live_sources(project), lake, FakeQueue()).run({}, LAST)
    assert len(files(tmp_path, LOG)) == len(files(tmp_path, CURRENT)) == 1
    after = new(tmp_path).read(LOG)
    assert after is not None
    assert sorted(after["key"].to_pylist()) == sorted(before["key"].to_pylist())


def test_a_replaced_file_is_kept_for_its_retention(tmp_path: Path) -> None:
    """With the retention of a week, readers of the version before still find its files after upkeep."""
    lake = new(tmp_path, lake_module.RETENTION_HOURS)
    for n in range(3):
        lake.append(LOG, rows_of(f"k{n}"))
    before, version = files(tmp_path, LOG), lake.version(LOG)
    UpkeepTask(project, live_sources(project), lake, FakeQueue()).run({}, LAST)
    assert before < files(tmp_path, LOG)
    assert DeltaTable(str(tmp_path / LOG), version=version).to_pyarrow_table().num_rows == 3


def test_vacuum_removes_what_a_killed_writer_left_but_not_what_one_is_writing(tmp_path: Path) -> None:
    """A file that no commit names goes when it is older than the retention, and stays while it may yet be committed."""
    lake = new(tmp_path, lake_module.RETENTION_HOURS)
    lake.append(LOG, rows_of("a"))
    for name, modified in (("left.parquet", 1), ("being-written.parquet", None)):
        (tmp_path / LOG / name).write_bytes(b"")
        if modified is not None:
            os.utime(tmp_path / LOG / name, (modified, modified))
    lake.vacuum(LOG)
    assert {"left.parquet", "being-written.parquet"} & files(tmp_path, LOG) == {"being-written.parquet"}


def test_upkeep_writes_a_checkpoint(tmp_path: Path) -> None:
    """After upkeep a table opens from its checkpoint, not from every commit that it ever had."""
    lake = new(tmp_path)
    for n in range(5):
        lake.append(LOG, rows_of(f"k{n}"))
    UpkeepTask(project, live_sources(project), lake, FakeQueue()).run({}, LAST)
    commits = tmp_path / LOG / "_delta_log"
    assert f"{lake.version(LOG):020}.checkpoint.parquet" in {path.name for path in commits.iterdir()}
    for commit in commits.glob("*.json"):
        commit.unlink()
    rows = new(tmp_path).read(LOG)
    assert rows is not None
    assert rows.num_rows == 5


def test_many_appends_leave_few_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any upkeep a log of many small appends has few files, no row more or less, and its commits are told."""
    monkeypatch.setattr(lake_module, "TAIL_COMMITS", 5)
    lake = new(tmp_path)
    for n in range(23):
        lake.append(LOG, rows_of(f"k{n:02}"))
        assert lake.files(LOG) <= 5
    assert new(tmp_path).files(LOG) <= 5
    rows = lake.read(LOG)
    assert rows is not None
    assert sorted(rows["key"].to_pylist()) == [f"k{n:02}" for n in range(23)]
    bring_forward(source, lake, LAST)
    lake.append(LOG, rows_of("later"))
    bring_forward(source, lake, LAST)
    assert len(lake.read(CURRENT) or ()) == 24


def test_large_files_are_left_to_the_upkeep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an append rewrites does not grow with the table: a file of the size that is aimed at stays as it is."""
    monkeypatch.setattr(lake_module, "TAIL_COMMITS", 5)
    monkeypatch.setattr(lake_module, "TAIL_BYTES", 10_000)
    lake = new(tmp_path)
    lake.append(LOG, rows_of(*(f"first-{n}" for n in range(500))))
    (large,) = files(tmp_path, LOG)
    for n in range(7):
        lake.append(LOG, rows_of(f"k{n}"))
    held = {uri.rpartition("/")[2] for uri in DeltaTable(str(tmp_path / LOG)).file_uris()}
    assert large in held
    assert len(held) < 8


def test_an_append_stands_though_its_compaction_loses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When another writer is faster the rows are in, and the append does not fail."""
    monkeypatch.setattr(lake_module, "TAIL_COMMITS", 1)

    def lose(*_: object, **__: object) -> None:
        raise CommitFailedError

    monkeypatch.setattr("deltalake.table.TableOptimizer.compact", lose)
    lake = new(tmp_path)
    for n in range(3):
        lake.append(LOG, rows_of(f"k{n}"))
    assert lake.files(LOG) == 3


def test_what_was_appended_long_ago_is_merged_from_the_whole_log(tmp_path: Path) -> None:
    """When the files that were appended are compacted and removed before a merge, ``current`` misses nothing."""
    lake = new(tmp_path)
    lake.append(LOG, rows_of("a"))
    bring_forward(source, lake, LAST)
    lake.append(LOG, rows_of("b"))
    lake.append(LOG, rows_of("c"))
    lake.compact(LOG)
    lake.vacuum(LOG)
    bring_forward(source, lake, LAST)
    rows = lake.read(CURRENT)
    assert rows is not None
    assert sorted(rows["key"].to_pylist()) == ["a", "b", "c"]


def test_a_writer_that_lost_a_race_reads_the_table_again(tmp_path: Path) -> None:
    """Replacing a range after another writer has replaced it succeeds: the second attempt begins from what is there."""
    slow = new(tmp_path)
    slow.append("labelled/m", rows_of("a"))
    opened = slow._open("labelled/m")
    new(tmp_path).replace("labelled/m", rows_of("b"), Between("time", 0, 5))
    slow._retried(
        "labelled/m",
        lambda table: write_deltalake(table or "", rows_of("c"), mode="overwrite", predicate="time >= 0 AND time < 5"),
    )
    assert opened is slow._open("labelled/m")
    rows = new(tmp_path).read("labelled/m")
    assert rows is not None
    assert rows["key"].to_pylist() == ["c"]


def test_an_append_whose_answer_was_lost_counts_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A commit that landed though its answer did not is written again, and read once: in the log and in ``current``."""
    lake = new(tmp_path)
    answers = iter([CommitFailedError("the connection broke after the commit"), None])

    def write(*arguments: Any, **options: Any) -> None:
        write_deltalake(*arguments, **options)
        if error := next(answers):
            raise error

    monkeypatch.setattr(lake_module, "write_deltalake", write)
    lake.append(LOG, rows_of("a"))
    monkeypatch.undo()
    UpkeepTask(project, live_sources(project), lake, FakeQueue()).run({}, LAST)
    log, current = lake.read(LOG), lake.read(CURRENT)
    assert log is not None
    assert current is not None
    assert (len(log), len(history(log)), len(current)) == (2, 1, 1)


def test_a_write_that_never_succeeds_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After five attempts the error names the table; the queue then keeps the batch."""

    def write(*arguments: object, **options: object) -> None:
        raise CommitFailedError

    monkeypatch.setattr(lake_module, "write_deltalake", write)
    with pytest.raises(Unavailable, match=r"other writers changed records/s during all 5 write attempts"):
        new(tmp_path).append(LOG, rows_of("a"))


WRITERS, COMMITS = 3, 8


def test_nothing_is_lost_while_writers_append_and_upkeep_runs(tmp_path: Path) -> None:
    """Three writers append corrections and repetitions while the lake is merged, compacted and vacuumed."""
    new(tmp_path).append(LOG, rows_of("first"))
    failures: list[BaseException] = []
    writers = [threading.Thread(target=_caught(failures, partial(_write, tmp_path, n))) for n in range(WRITERS)]
    for writer in writers:
        writer.start()
    keeper = DeltaLake(str(tmp_path), options={}, slice_rows=3)
    while any(writer.is_alive() for writer in writers):
        UpkeepTask(project, live_sources(project), keeper, FakeQueue()).run({}, LAST)
    UpkeepTask(project, live_sources(project), keeper, FakeQueue()).run({}, LAST)
    assert failures == []
    log, current = new(tmp_path).read(LOG), new(tmp_path).read(CURRENT)
    assert log is not None
    assert current is not None
    assert len(log) == 1 + WRITERS * COMMITS * 2
    assert len(history(log)) == 1 + WRITERS * COMMITS + COMMITS
    assert current.sort_by("key").to_pylist() == valid_at(log, LAST).sort_by("key").to_pylist()


def _write(folder: Path, writer: int) -> None:
    lake = new(folder)
    for commit in range(COMMITS):
        own, shared = rows_of(f"w{writer}-{commit}"), rows_of("shared", known_at=2 + commit, x=commit)
        lake.append(LOG, pa.concat_tables([own, shared]))


def _caught(failures: list[BaseException], work: Callable[[], None]) -> Callable[[], None]:
    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 a thread has nobody to raise to
            failures.append(error)

    return run


def test_a_lake_that_cannot_be_read_is_unavailable(tmp_path: Path) -> None:
    """What delta-rs and Arrow raise as an ``OSError`` is worth another try, also where rows come in slices."""
    new(tmp_path).append(LOG, rows_of("a"))
    for file in (tmp_path / LOG).glob("*.parquet"):
        file.unlink()
    lake = new(tmp_path)
    for read in (lambda: lake.read(LOG), lambda: list(lake.slices(LOG))):
        with pytest.raises(Unavailable):
            read()


def test_a_table_that_may_not_be_opened_is_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal is not taken for a table that is not there yet."""

    def refused(*_: Any, **__: Any) -> None:
        raise OSError("the operation lacked the necessary privileges")

    monkeypatch.setattr(lake_module, "DeltaTable", refused)
    with pytest.raises(Unavailable, match="records/s"):
        new(tmp_path).version(LOG)


def test_a_deletion_beside_an_append_loses_neither(tmp_path: Path) -> None:
    """A writer that has not heard of the append deletes its keys all the same, and the appended rows stay."""
    new(tmp_path).append(LOG, rows_of("a", "b"))
    slow = new(tmp_path)
    assert slow.read(LOG) is not None
    new(tmp_path).append(LOG, rows_of("c"))
    slow._latest = slow._open  # type: ignore[method-assign] # it has read, and has not heard of the other
    assert slow.delete(LOG, pa.array(["a"])) == 1
    rows = new(tmp_path).read(LOG)
    assert rows is not None
    assert sorted(rows["key"].to_pylist()) == ["b", "c"]
