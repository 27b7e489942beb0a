"""A batch checked column by column comes to what the row check makes of each of its rows."""

import io
from typing import Any

import pyarrow as pa
from hypothesis import event, given, settings
from hypothesis import strategies as st

from smallbox.define.source import Source
from smallbox.ingestion.columns import accept
from smallbox.ingestion.contract import check_all
from smallbox.ingestion.readers import Batch, read_numbered
from smallbox.ingestion.rows import Rows
from smallbox.ingestion.table import schema
from tests.properties.batches import NOW, files, sources

Result = tuple[Any, ...]


def _row_by_row(source: Source, batch: Batch) -> tuple[pa.Table, list[Any]]:
    """The oracle: ``check_all``, and each record's own digest."""
    records, rejections = check_all(source, list(batch.rows), NOW, batch.first)
    rows = [
        {"key": r.key, "time": r.time, "known_at": r.known_at, "received_at": r.received_at, "digest": r.digest}
        | dict(r.values)
        for r in records
    ]
    return pa.Table.from_pylist(rows, schema(source)), rejections


def _result(source: Source, batch: Batch, rows: Rows | None) -> Result:
    try:
        table, rejections = _row_by_row(source, batch) if rows is None else accept(source, rows, NOW, batch.first)
    except (OverflowError, ValueError) as error:
        return (type(error),)
    # as text: what is no number equals nothing, not even itself, and a negative zero equals zero
    return table.schema, repr(table.to_pylist()), repr(rejections)


@given(data=st.data(), source=sources)
@settings(deadline=None, max_examples=300)
def test_columns_and_rows_are_accepted_alike(data: st.DataObject, source: Source) -> None:
    """The same rows are accepted, in the same order, with the same digests and times; the same are rejected, in words.

    Whatever the contract, the file's kind and its columns' types: nulls, infinities, huge numbers, odd texts, moments with
    and without a zone, unknown and missing fields, ragged rows, and keys that stand twice.
    """
    name, content = data.draw(files(source))
    for batch in read_numbered(name, io.BytesIO(content), source):
        expected = _result(source, batch, None)
        others = _Counted(batch.rows)
        assert _result(source, batch, others) == expected
        event(f"{name}: {'all' if others.asked == len(batch.rows) else 'some' if others.asked else 'no'} rows by rows")


class _Counted:
    """Rows that count how many were asked for one by one."""

    def __init__(self, rows: Rows) -> None:
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
