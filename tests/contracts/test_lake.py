"""Proves that every lake appends atomically, reads ranges, replaces ranges and counts its commits."""

import pyarrow as pa

from smallbox.ports import Between, Lake


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


def test_compaction_changes_no_row(lake: Lake) -> None:
    """After compaction the same rows are read, and an absent table is no error."""
    for time in range(5):
        lake.append("records/x", _rows(time))
    lake.compact("records/x")
    lake.compact("records/absent")
    assert _names(lake.read("records/x")) == ["r0", "r1", "r2", "r3", "r4"]


def test_a_table_gains_a_column(lake: Lake) -> None:
    """Rows with a new column are appended; the rows before it have nothing there."""
    lake.append("records/x", _rows(1))
    lake.append("records/x", _rows(2).append_column("more", pa.array([2.5])))
    found = lake.read("records/x")
    assert found is not None
    assert dict(zip(found["name"].to_pylist(), found["more"].to_pylist(), strict=True)) == {"r1": None, "r2": 2.5}
