"""Proves that the rows of a table may have different columns: a contract gains fields and loses some."""

from typing import Final

import pyarrow as pa
import pytest

from smallbox.ports import Between, Lake, TableProgress

_NEWER: Final = pa.schema([("name", pa.string()), ("more", pa.float64())])


def _rows(*times: int) -> pa.Table:
    return pa.table({"time": pa.array(times, pa.int64()), "name": pa.array([f"r{t}" for t in times], pa.string())})


def _beside(rows: pa.Table | None) -> dict[str, tuple[str | None, float | None]]:
    """By name of the row, its values of two columns that some rows lack."""
    assert rows is not None
    columns = (rows[name].to_pylist() for name in ("name", "less", "more"))
    return {name: (less, more) for name, less, more in zip(*columns, strict=True)}


def test_a_column_that_no_row_has_yet_is_null(lake: Lake) -> None:
    """Named in the schema it is read as null of its type, in a range, by keys, and beside all other columns."""
    lake.append("records/x", _rows(1, 2))
    for columns in (["more", "name"], None):
        found = lake.read("records/x", columns, Between("time", 1, 2), schema=_NEWER)
        assert found is not None
        assert found.column_names == (columns or ["time", "name", "more"])
        assert found.schema.field("more").type == pa.float64()
        assert found.select(["name", "more"]).to_pylist() == [{"name": "r1", "more": None}]
    found = lake.read("records/x", ["name", "more"], keys=pa.chunked_array([["r2"]]), key="name", schema=_NEWER)
    assert found is not None
    assert found.to_pylist() == [{"name": "r2", "more": None}]


def test_a_column_that_no_row_has_yet_has_none_of_the_keys(lake: Lake) -> None:
    """A null is no key: no row is read, and the columns are there."""
    lake.append("records/x", _rows(1))
    newer = pa.schema([("parent", pa.string())])
    found = lake.read("records/x", ["time", "parent"], keys=pa.chunked_array([["a"]]), key="parent", schema=newer)
    assert found is not None
    assert (found.num_rows, found.column_names) == (0, ["time", "parent"])


def test_a_schema_adds_no_column_that_was_not_asked_for(lake: Lake) -> None:
    """A column that the table has keeps its own type and values; one that nobody asked for is not read."""
    lake.append("records/x", _rows(1).append_column("more", pa.array([2.5])))
    found = lake.read("records/x", ["more"], schema=pa.schema([("more", pa.string()), ("other", pa.string())]))
    assert found is not None
    assert found.to_pylist() == [{"more": 2.5}]


def test_a_column_that_nobody_knows_is_an_error(lake: Lake) -> None:
    """A name that neither the table nor the schema has is a mistake of the reader, not a null."""
    lake.append("records/x", _rows(1))
    with pytest.raises(KeyError):
        lake.read("records/x", ["name", "mroe"], schema=_NEWER)


def test_columns_that_some_rows_lack_are_null_there(lake: Lake) -> None:
    """A column that came later and one that is written no more, by name, in a range, by keys and in slices."""
    lake.append("records/x", _rows(1).append_column("less", pa.array(["old"])))
    lake.append("records/x", _rows(2).append_column("more", pa.array([2.5])))
    expected = {"r1": ("old", None), "r2": (None, 2.5)}
    keys = pa.chunked_array([["r1", "r2"]])
    read = [
        lake.read("records/x", ["name", "less", "more"]),
        lake.read("records/x", ["name", "less", "more"], Between("time", 0, 9)),
        lake.read("records/x", ["name", "less", "more"], keys=keys, key="name"),
        pa.concat_tables(lake.slices("records/x")),
        pa.concat_tables(lake.slices("records/x", between=Between("time", 0, 9))),
    ]
    assert [_beside(rows) for rows in read] == [expected] * 5
    assert _beside(pa.concat_tables(lake.slices("records/x", 0)))["r2"] == (None, 2.5)


def test_a_replaced_range_may_have_other_columns(lake: Lake) -> None:
    """What the rows add is null outside the range, and what they lack is null in it."""
    less = _rows(1, 5).append_column("less", pa.array(["a", "b"]))
    more = _rows(2).append_column("more", pa.array([2.5]))
    lake.replace("labelled/m", less, Between("time", 0, 9))
    lake.replace("labelled/m", more, Between("time", 0, 3))
    assert _beside(lake.read("labelled/m")) == {"r2": (None, 2.5), "r5": ("b", None)}


def test_an_upserted_row_has_nothing_of_the_row_before(lake: Lake) -> None:
    """A column that the new rows lack is null in them; rows that stay keep it."""
    before = pa.table({"key": ["a", "b"], "time": [1, 1], "name": ["a", "b"], "less": ["x", "y"]})
    after = pa.table({"key": ["b", "c"], "time": [2, 2], "name": ["b", "c"], "more": [2.5, 3.5]})
    lake.upsert("current/x", before, TableProgress(0, 0))
    lake.upsert("current/x", after, TableProgress(1, 0))
    assert _beside(lake.read("current/x")) == {"a": ("x", None), "b": (None, 2.5), "c": (None, 3.5)}
