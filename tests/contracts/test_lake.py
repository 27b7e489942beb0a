"""Proves that every lake appends, reads and replaces ranges, and merges by key; and which writer loses a race."""

from collections.abc import Callable

import pyarrow as pa
import pytest

from smallbox.errors import Conflict
from smallbox.ports import Between, Lake, TableProgress
from tests.contracts.conftest import Write


def _rows(*times: int) -> pa.Table:
    return pa.table({"time": pa.array(times, pa.int64()), "name": pa.array([f"r{t}" for t in times], pa.string())})


def _names(rows: pa.Table | None) -> list[str]:
    assert rows is not None
    return sorted(rows["name"].to_pylist())


def test_appends_add_up(lake: Lake) -> None:
    """Every appended row is read back, whatever commit it came in; a table nobody wrote is None."""
    assert lake.read("records/x") is None
    lake.append("records/x", _rows(1, 2))
    lake.append("records/x", _rows(2))
    assert _names(lake.read("records/x")) == ["r1", "r2", "r2"]
    assert lake.read("records/y") is None


def test_no_rows_are_no_commit(lake: Lake) -> None:
    """Appending nothing leaves the version where it was."""
    lake.append("records/x", _rows(1))
    before = lake.version("records/x")
    lake.append("records/x", _rows())
    assert lake.version("records/x") == before == 0


def test_a_range_is_half_open(lake: Lake) -> None:
    """A read between two times holds the first and not the last, and only the columns asked for."""
    lake.append("records/x", _rows(1, 2, 3))
    found = lake.read("records/x", ["name"], Between("time", 1, 3))
    assert _names(found) == ["r1", "r2"]
    assert found is not None
    assert found.column_names == ["name"]


def test_replacing_a_range_leaves_the_rest(lake: Lake) -> None:
    """Replacing a range twice with the same rows is the same as once, and touches nothing outside it."""
    for _ in range(2):
        lake.replace("labelled/m", _rows(5), Between("time", 5, 6))
        lake.replace("labelled/m", _rows(1, 2), Between("time", 0, 3))
    assert _names(lake.read("labelled/m")) == ["r1", "r2", "r5"]


def test_a_range_of_a_column_that_came_later_holds_none_of_the_rows_before(lake: Lake) -> None:
    """Rows from before a column are in no range of it: none is read, and none is replaced."""
    lake.append("labelled/m", _rows(1))
    between = Between("later", 0, 10)
    assert _names(lake.read("labelled/m", ["name"], between)) == []
    later = _rows(2).append_column("later", pa.array([5], pa.int64()))
    for _ in range(2):
        lake.replace("labelled/m", later, between)
        assert _names(lake.read("labelled/m")) == ["r1", "r2"]
        assert _names(lake.read("labelled/m", None, between)) == ["r2"]


def test_compaction_changes_no_row(lake: Lake) -> None:
    """After compaction the same rows are read, and an absent table is no error."""
    for time in range(5):
        lake.append("records/x", _rows(time))
    lake.compact("records/x")
    lake.compact("records/absent")
    assert _names(lake.read("records/x")) == ["r0", "r1", "r2", "r3", "r4"]


def test_files_are_counted(lake: Lake) -> None:
    """Each small append is a file more, compaction leaves one, and an absent table has none."""
    assert lake.files("records/x") == 0
    for time in range(3):
        lake.append("records/x", _rows(time))
    assert lake.files("records/x") == 3
    lake.compact("records/x")
    assert lake.files("records/x") == 1


def test_a_table_gains_a_column(lake: Lake) -> None:
    """Rows with a new column are appended; the rows before it have nothing there."""
    lake.append("records/x", _rows(1))
    lake.append("records/x", _rows(2).append_column("more", pa.array([2.5])))
    found = lake.read("records/x")
    assert found is not None
    assert dict(zip(found["name"].to_pylist(), found["more"].to_pylist(), strict=True)) == {"r1": None, "r2": 2.5}


def _keyed(**says: int) -> pa.Table:
    return pa.table({"key": list(says), "time": pa.array(says.values(), pa.int64())})


def _said(rows: pa.Table | None) -> dict[str, int]:
    assert rows is not None
    said = dict(zip(rows["key"].to_pylist(), rows["time"].to_pylist(), strict=True))
    assert len(said) == len(rows)
    return said


def _slices(lake: Lake, after: int = -1, between: Between | None = None) -> list[str]:
    return sorted(name for rows in lake.slices("records/x", after, between) for name in rows["name"].to_pylist())


def test_only_the_rows_of_some_keys_are_read(lake: Lake) -> None:
    """Keys and a range narrow a read together."""
    lake.append("records/x", _keyed(a=1, b=2, c=3))
    keys = pa.chunked_array([["b", "c", "z"]])
    assert _said(lake.read("records/x", keys=keys)) == {"b": 2, "c": 3}
    assert _said(lake.read("records/x", None, Between("time", 0, 3), keys)) == {"b": 2}
    lake.append("records/y", _rows(1, 2))
    assert _names(lake.read("records/y", keys=pa.chunked_array([["r2"]]), key="name")) == ["r2"]


def test_what_was_appended_since_a_commit_is_told_from_the_rest(lake: Lake) -> None:
    """The rows after a commit are those appended later, compacted or not; of -1, or a commit nobody knows, all."""
    assert _slices(lake) == []
    for time in range(3):
        lake.append("records/x", _rows(time))
    before = lake.version("records/x")
    assert before is not None
    assert _slices(lake, before) == []
    lake.append("records/x", _rows(7, 8))
    lake.compact("records/x")
    assert _slices(lake, before) == ["r7", "r8"]
    assert _slices(lake) == _slices(lake, 1_000) == ["r0", "r1", "r2", "r7", "r8"]
    assert _slices(lake, between=Between("time", 1, 8)) == ["r1", "r2", "r7"]


def test_slices_have_every_column_of_the_table(lake: Lake) -> None:
    """A row from before a column came has nothing there, in a slice too."""
    lake.append("records/x", _rows(1))
    lake.append("records/x", _rows(2))
    lake.append("records/x", _rows(3).append_column("more", pa.array([2.5])))
    for after in (-1, 0):
        rows = pa.concat_tables(lake.slices("records/x", after))
        more = dict(zip(rows["name"].to_pylist(), rows["more"].to_pylist(), strict=True))
        assert (more["r2"], more["r3"]) == (None, 2.5)


def test_slices_have_only_the_columns_asked_for(lake: Lake) -> None:
    """A column of the schema that no row has is null, and a range of such a column holds nothing."""
    lake.append("records/x", _rows(1, 2, 3))
    schema = pa.schema([("later", pa.int64())])
    asked = lake.slices("records/x", between=Between("time", 2, 4), columns=["name", "later"], schema=schema)
    rows = pa.concat_tables(asked)
    assert (sorted(rows["name"].to_pylist()), rows["later"].to_pylist()) == (["r2", "r3"], [None, None])
    assert rows.column_names == ["name", "later"]
    assert not list(lake.slices("records/x", between=Between("later", 0, 9), columns=["name"], schema=schema))


def test_a_snapshot_stays_as_it_was(lake: Lake) -> None:
    """What is appended after it was first read is not in it, nor in its slices; the lake itself has it."""
    lake.append("records/x", _rows(1))
    fixed = lake.snapshot()
    assert _names(fixed.read("records/x")) == ["r1"]
    lake.append("records/x", _rows(2))
    assert _names(fixed.read("records/x")) == ["r1"]
    assert _names(pa.concat_tables(fixed.slices("records/x"))) == ["r1"]
    assert _names(lake.read("records/x")) == ["r1", "r2"]


def test_an_upsert_leaves_one_row_a_key_and_its_progress(lake: Lake) -> None:
    """Rows replace those of their keys, others stay, and how far the table has come is read back with them."""
    assert lake.progress("current/x") is None
    lake.upsert("current/x", _keyed(a=1, b=1), TableProgress(4, 10))
    lake.upsert("current/x", _keyed(b=2, c=2), TableProgress(6, 20))
    assert _said(lake.read("current/x")) == {"a": 1, "b": 2, "c": 2}
    lake.compact("current/x")
    lake.vacuum("current/x")
    assert lake.progress("current/x") == TableProgress(6, 20)


def test_progress_is_written_without_rows(lake: Lake) -> None:
    """An upsert of no rows moves the progress alone, of a new table too."""
    lake.upsert("current/x", _keyed(a=1).slice(1), TableProgress(0, 5))
    assert (lake.progress("current/x"), _said(lake.read("current/x"))) == (TableProgress(0, 5), {})
    lake.upsert("current/x", _keyed(a=1), TableProgress(1, 5))
    lake.upsert("current/x", _keyed(a=1).slice(1), TableProgress(1, 9))
    assert (lake.progress("current/x"), _said(lake.read("current/x"))) == (TableProgress(1, 9), {"a": 1})


def test_an_upserted_table_gains_a_column(lake: Lake) -> None:
    """Rows with a new column are merged; the rows that stay have nothing there."""
    lake.upsert("current/x", _keyed(a=1, b=1), TableProgress(0, 0))
    lake.upsert("current/x", _keyed(b=2).append_column("more", pa.array([2.5])), TableProgress(1, 0))
    rows = lake.read("current/x")
    assert rows is not None
    assert sorted(zip(rows["key"].to_pylist(), rows["more"].to_pylist(), strict=True)) == [("a", None), ("b", 2.5)]


@pytest.mark.parametrize("before", [{"a": 1, "z": 1}, {}], ids=["a table", "no table yet"])
@pytest.mark.parametrize(
    "own", [_keyed(a=2), _keyed(b=2), _keyed(a=2).slice(1)], ids=["the same key", "another key", "no rows"]
)
def test_an_upsert_that_another_overtakes_is_a_conflict_and_writes_nothing(
    lake: Lake, overtaken: Callable[[Write], Lake], before: dict[str, int], own: pa.Table
) -> None:
    """Rows and progress are those of the faster upsert, whatever the slower one would write; run again, it succeeds."""
    if before:
        lake.upsert("current/x", _keyed(**before), TableProgress(0, 0))
    slow = overtaken(lambda faster: faster.upsert("current/x", _keyed(a=9), TableProgress(5, 50)))
    with pytest.raises(Conflict, match="run it again"):
        slow.upsert("current/x", own, TableProgress(1, 10))
    expected = {**before, "a": 9}
    assert (lake.progress("current/x"), _said(lake.read("current/x"))) == (TableProgress(5, 50), expected)
    slow.upsert("current/x", own, TableProgress(6, 60))
    assert (lake.progress("current/x"), _said(lake.read("current/x"))) == (
        TableProgress(6, 60),
        {**expected, **_said(own)},
    )


def test_vacuuming_changes_no_row(lake: Lake) -> None:
    """After compaction and vacuum, once or twice, the same rows are read, and an absent table is no error."""
    for time in range(5):
        lake.append("records/x", _rows(time))
    for _ in range(2):
        lake.compact("records/x")
        lake.vacuum("records/x")
    lake.vacuum("records/absent")
    assert _names(lake.read("records/x")) == ["r0", "r1", "r2", "r3", "r4"]


def test_a_delete_removes_the_rows_of_its_keys(lake: Lake) -> None:
    """Rows of the keys are gone from reads and slices, quotes in a key or not; a second delete finds none."""
    lake.append("records/x", _rows(1, 2, 3))
    lake.append("records/x", _rows(2).set_column(1, "name", pa.array(["it's"])))
    assert lake.delete("records/x", pa.array(["r2", "it's", "absent"]), key="name") == 2
    assert lake.delete("records/x", pa.array(["r2", "it's"]), key="name") == 0
    assert _names(lake.read("records/x")) == ["r1", "r3"]
    assert sorted(name for rows in lake.slices("records/x") for name in rows["name"].to_pylist()) == ["r1", "r3"]


def test_what_was_appended_and_deleted_since_is_in_no_slice(lake: Lake) -> None:
    """A row that came after a commit, and was deleted before anybody looked, does not come back."""
    lake.append("records/x", _rows(1))
    before = lake.version("records/x")
    assert before is not None
    lake.append("records/x", _rows(2, 3))
    assert lake.delete("records/x", pa.array(["r2"]), key="name") == 1
    assert "r2" not in _slices(lake, before)
    assert "r3" in _slices(lake, before)


def test_a_delete_of_nothing_is_no_error(lake: Lake) -> None:
    """No keys, and no table, delete nothing."""
    lake.append("records/x", _rows(1))
    assert lake.delete("records/x", pa.array([], pa.string()), key="name") == 0
    assert lake.delete("records/absent", pa.array(["r1"]), key="name") == 0
    assert _names(lake.read("records/x")) == ["r1"]


def test_more_keys_than_a_commit_takes_are_all_deleted(lake: Lake) -> None:
    """Of thousands of keys none is left, and what has none of them stays."""
    names = [f"r{time}" for time in range(2_500)]
    lake.append("records/x", _rows(*range(2_502)))
    assert lake.delete("records/x", pa.array(names), key="name") == 2_500
    assert _names(lake.read("records/x")) == ["r2500", "r2501"]
