"""A batch checked column by column comes to what the row check makes of each of its rows."""

import io
import math
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from smallbox.define.fields import Field
from smallbox.define.source import FAR_AHEAD, FUTURE_LIMIT, LONG_AGO, Source
from smallbox.ingestion.contract import check_all
from smallbox.ingestion.fast_path import accept
from smallbox.ingestion.readers import RowBatch, read_numbered
from smallbox.ingestion.unchecked_rows import ListedRows, TableRows, UncheckedRows
from smallbox.lake.schemas import record_schema
from smallbox.times import DAY, FIRST, LAST
from tests.properties.batches import NOW, files, sources

Result = tuple[Any, ...]


def _row_by_row(source: Source, batch: RowBatch) -> tuple[pa.Table, list[Any]]:
    """The oracle: ``check_all``, and each record's own digest."""
    records, rejections = check_all(source, list(batch.rows), NOW, batch.first)
    rows = [
        {"key": r.key, "time": r.time, "known_at": r.known_at, "received_at": r.received_at, "digest": r.digest}
        | dict(r.values)
        for r in records
    ]
    return pa.Table.from_pylist(rows, record_schema(source)), rejections


def _result(source: Source, batch: RowBatch, rows: UncheckedRows | None) -> Result:
    try:
        table, rejections = _row_by_row(source, batch) if rows is None else accept(source, rows, NOW, batch.first)
    except (OverflowError, ValueError) as error:
        return (type(error),)
    # as text: what is no number equals nothing, not even itself, and a negative zero equals zero
    return table.schema, repr(table.to_pylist()), repr(rejections)


@given(data=st.data(), source=sources)
@settings(max_examples=300)
def test_columns_and_rows_are_accepted_alike(data: st.DataObject, source: Source) -> None:
    """The same rows are accepted, in the same order, with the same digests and times; the same are rejected, in words.

    Whatever the contract, the file's kind and its columns' types: nulls, infinities, huge numbers, odd texts, moments
    with and without a zone, unknown and missing fields, ragged rows, and keys that stand twice.
    """
    name, content = data.draw(files(source))
    for batch in read_numbered(name, io.BytesIO(content), source):
        expected = _result(source, batch, None)
        others = _Counted(batch.rows)
        assert _result(source, batch, others) == expected
        event(f"{name}: {'all' if others.asked == len(batch.rows) else 'some' if others.asked else 'no'} rows by rows")


class _Counted:
    """Rows that count how many were asked for one by one."""

    def __init__(self, rows: UncheckedRows) -> None:
        self._rows = rows
        self.asked = 0

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Any:
        return iter(self._rows)

    def at(self, positions: Any) -> list[Any]:
        self.asked += len(positions)
        return self._rows.at(positions)

    def columns(self, names: Any) -> Any:
        return self._rows.columns(names)


_NUMBERS = [0.0, -0.0, 5.5, 5.0, 6.0, -1.0, 1e12, 1.0000001e12, 1e-7, 0.1 + 0.2, 1e15, math.inf, -math.inf, math.nan]
_TEXTS = ["", "EWR", "ewr", "EWR ", "é", "\x7f", "\n", '"', "\\", "/", "\u2028", "x" * 256, "x" * 257, "😀" * 256]
_MOMENTS = [0, NOW, NOW + 11 * 365 * DAY, LONG_AGO, LONG_AGO - 1, FIRST, FIRST - 1, LAST, LAST + 1]
_HOSTILE = {
    "number": pa.array([*_NUMBERS, None]),
    "integer": pa.array([*_NUMBERS, None]),
    "text": pa.array([*_TEXTS, None]),
    "timestamp": pa.array([*_MOMENTS[:-3], None], pa.timestamp("us", "UTC")),
    "boolean": pa.array([True, False, None]),
}
_RULES: list[Field] = [
    *(Field(kind, nullable=nullable) for kind in ("boolean", "timestamp", "text") for nullable in (True, False)),
    *(Field(kind, nullable=nullable) for kind in ("number", "integer") for nullable in (True, False)),
    *(Field(kind, minimum=0, maximum=5.5) for kind in ("number", "integer")),
    Field("text", choices=("EWR", "é", "\n")),
    Field("text", pattern="[A-Z]+"),
]  # fmt: skip


@pytest.mark.parametrize("field", _RULES, ids=str)
@pytest.mark.parametrize("listed", [False, True])
def test_each_hostile_value_of_a_plain_column_is_judged_alike(field: Field, *, listed: bool) -> None:
    """A column of one type, of the values at and beyond every limit, comes to what the row check makes of it."""
    values = _HOSTILE[field.type]
    source = Source("things", "id", "at", {"id": Field("text"), "at": Field("timestamp"), "x": field})
    at = pa.array([NOW] * len(values), pa.timestamp("us", "UTC"))
    table = pa.table({"id": [str(n) for n in range(len(values))], "at": at, "x": values})
    rows = ListedRows(TableRows(table)) if listed else TableRows(table)
    batch = RowBatch(5, rows)
    counted = _Counted(rows)
    assert _result(source, batch, counted) == _result(source, batch, None)
    assert listed or counted.asked < len(values)


@pytest.mark.parametrize("kind", [pa.timestamp("us"), pa.timestamp("s", "UTC"), pa.date32(), pa.int64()], ids=str)
def test_a_column_is_no_moment_without_a_zone(kind: pa.DataType) -> None:
    """Whatever the row check says of such a column, the columns say; a number or a day alone is no moment."""
    source = Source("things", "id", "at", {"id": Field("text"), "at": Field("timestamp")})
    batch = RowBatch(0, TableRows(pa.table({"id": ["a"], "at": pa.array([15_000], kind)})))
    assert _result(source, batch, batch.rows) == _result(source, batch, None)


@pytest.mark.parametrize("after", [None, "0s", "2d", "-2d", "90d", "4000d", "9000000000d", "-200000000d"])
def test_each_event_time_is_judged_alike(after: str | None) -> None:
    """Times around every limit of past and future, with what lies behind 64 bits."""
    source = Source("things", "id", "at", {"id": Field("text"), "at": Field("timestamp")}, known_after=after)
    delay = source.known_after_micros or 0
    edges = [LONG_AGO, NOW + FAR_AHEAD, NOW + FUTURE_LIMIT, NOW + FUTURE_LIMIT - delay]
    times = [edge + near for edge in edges for near in (-1, 0, 1) if FIRST <= edge + near <= LAST]
    at = pa.array(times, pa.timestamp("us", "UTC"))
    batch = RowBatch(0, TableRows(pa.table({"id": [str(n) for n in range(len(times))], "at": at})))
    assert _result(source, batch, batch.rows) == _result(source, batch, None)
