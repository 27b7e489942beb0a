"""Checking by columns: which rows are made objects of at all."""

import io
import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from smallbox.arrays import Ints
from smallbox.define import Source, boolean, integer, number, text, timestamp
from smallbox.ingestion.fast_path import accept
from smallbox.ingestion.readers import read_numbered
from smallbox.ingestion.unchecked_rows import RowColumns, TableRows, UncheckedRows
from smallbox.times import format_moment, parse_day

NOW = parse_day("2013-03-01")
source = Source(
    "things",
    key="id",
    time="at",
    fields={
        "id": text(),
        "at": timestamp(),
        "place": text(choices=("EWR", "JFK")),
        "size": number(nullable=True, maximum=5),
        "seats": integer(minimum=0),
        "late": boolean(nullable=True),
    },
)


class Watched:
    """Rows that keep which of them were asked for as objects."""

    def __init__(self, rows: UncheckedRows) -> None:
        self._rows = rows
        self.asked: list[int] = []

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Any]:
        raise AssertionError("all rows were made objects")

    def at(self, positions: Ints) -> list[Any]:
        self.asked += positions.tolist()
        return self._rows.at(positions)

    def columns(self, names: Sequence[str]) -> RowColumns | None:
        return self._rows.columns(names)


def _written(kind: str, sizes: list[float | None]) -> bytes:
    rows = [
        {"id": str(n), "at": format_moment(NOW - n), "place": "EWR", "size": size, "seats": n, "late": n == 1}
        for n, size in enumerate(sizes)
    ]
    if kind == "f.parquet":
        content = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(rows), content)
        return content.getvalue()
    if kind == "f.jsonl":
        return "\n".join(map(json.dumps, rows)).encode()
    lines = [",".join("" if value is None else str(value) for value in row.values()) for row in rows]
    return "\n".join([",".join(source.fields), *lines]).encode()


def _rows(keys: list[str]) -> UncheckedRows:
    """Rows of these keys, no two alike."""
    columns = {"id": keys, "at": [format_moment(NOW)] * len(keys), "place": ["JFK"] * len(keys)}
    return TableRows(pa.table({**columns, "seats": np.arange(len(keys))}))


@pytest.mark.parametrize("kind", ["f.csv", "f.jsonl", "f.parquet"])
def test_only_rows_that_break_a_rule_are_made_objects(kind: str) -> None:
    """Of four rows with one that is too large, that one alone goes to the row check, which words the rejection."""
    (batch,) = read_numbered(kind, io.BytesIO(_written(kind, [1.5, None, 6.0, 0.1])), source)
    rows = Watched(batch.rows)
    table, (rejected,) = accept(source, rows, NOW, first=10)
    assert rows.asked == [2]
    assert (table["id"].to_pylist(), table["size"].to_pylist()) == (["0", "1", "3"], [1.5, None, 0.1])
    assert (rejected.index, rejected.field, rejected.message) == (12, "size", "size is 6.0; the greatest allowed is 5")


def test_a_key_that_stands_twice_is_for_the_row_check() -> None:
    """Both rows of the key go there, since the second is refused for the first."""
    rows = Watched(_rows(["a", "b", "a"]))
    table, (rejected,) = accept(source, rows, NOW, first=0)
    assert rows.asked == [0, 2]
    assert table["key"].to_pylist() == ["a", "b"]
    assert (rejected.index, rejected.rule) == (2, "duplicate")
