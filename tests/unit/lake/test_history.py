"""Rows of the lake."""

import pyarrow as pa
import pytest

from smallbox.define import Source, number, text, timestamp
from smallbox.errors import DefinitionError
from smallbox.lake.history import FOREVER, history, valid_at, valid_or_first_at
from smallbox.lake.names import records_table
from smallbox.lake.schemas import record_schema, records_to_table
from smallbox.records import Record, Value

source = Source("s", "id", "at", {"id": text(), "at": timestamp(), "x": number(nullable=True)})


def version(key: str, x: float | None, known_at: int, received_at: int | None = None) -> Record:
    """A version of a key that says x."""
    received_at = known_at if received_at is None else received_at
    return Record("s", key, 1, known_at, received_at, {"id": key, "at": 1, "x": x})


def said(table: pa.Table) -> dict[str, float]:
    """What each key says."""
    return dict(zip(table["key"].to_pylist(), table["x"].to_pylist(), strict=True))


def test_records_become_rows() -> None:
    """A table has the schema's columns in order, with nulls where there are none."""
    table = records_to_table(source, [version("a", None, 5)])
    assert table.schema == record_schema(source)
    assert table.to_pylist()[0] | {"digest": ""} == {
        "key": "a", "time": 1, "known_at": 5, "received_at": 5, "digest": "", "id": "a", "at": 1, "x": None,
    }  # fmt: skip
    assert records_table(source) == "records/s"


@pytest.mark.parametrize(
    "values",
    [
        {"id": "a", "at": 1, "x": 0.1},
        {"id": 'a "é" \\', "at": 1, "x": None},
        {"id": "a", "at": 1, "x": -0.0},
        {"id": "a", "at": 1, "x": 2},
        {"id": "a", "at": 1},
        {"id": "a", "at": 1, "x": 2.0, "before": "gone"},
    ],
)
def test_a_row_has_the_digest_of_its_record(values: dict[str, Value]) -> None:
    """It is the record's own, bit for bit, whatever its fields were when its contract had others."""
    records = [version("b", 1.5, 5), Record("s", "a", 1, 5, 5, values)]
    assert records_to_table(source, records)["digest"].to_pylist() == [record.digest for record in records]


def test_the_latest_known_version_counts() -> None:
    """At each moment a key has the version that was known last, whatever is known later."""
    table = records_to_table(source, [version("a", 2, 20), version("a", 1, 10), version("b", 3, 30)])
    assert [said(valid_at(table, as_of)) for as_of in (5, 10, 20, 30)] == [{}, {"a": 1}, {"a": 2}, {"a": 2, "b": 3}]
    assert said(valid_or_first_at(table, 5)) == {"a": 1, "b": 3}


def test_versions_end_where_the_next_begins() -> None:
    """A version is superseded when its key's next version is known, the last one never."""
    ends = history(records_to_table(source, [version("a", 2, 20), version("a", 1, 10), version("b", 3, 30)]))
    assert sorted(zip(ends["known_at"].to_pylist(), ends["superseded_at"].to_pylist(), strict=True)) == [
        (10, 20), (20, FOREVER), (30, FOREVER),
    ]  # fmt: skip


def test_repeating_a_version_changes_nothing() -> None:
    """A version that is sent again after its correction does not come back."""
    table = records_to_table(source, [version("a", 1, 10, 11), version("a", 2, 10, 12), version("a", 1, 10, 13)])
    assert said(valid_at(table, 10)) == {"a": 2}
    assert len(history(table)) == 2


def test_no_rows_are_no_versions() -> None:
    """Empty tables stay empty."""
    assert len(history(records_to_table(source, []))) == 0


def test_a_field_may_not_hide_a_column_of_the_lake() -> None:
    """A field of a reserved name is refused where it is defined, with what to write instead."""
    with pytest.raises(DefinitionError, match="s_digest"):
        Source("s", "id", "at", {"id": text(), "at": timestamp(), "digest": text()})
