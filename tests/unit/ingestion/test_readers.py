"""Dropped files."""

import gzip
import io
import itertools
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from smallbox.define import Source, boolean, integer, number, text, timestamp
from smallbox.errors import InvalidInput, MalformedBody, UnsupportedType
from smallbox.ingestion.contract import check_all
from smallbox.ingestion.readers import Limits, read_batches, read_numbered
from smallbox.times import parse_day

source = Source(
    "s",
    "id",
    "at",
    {
        "id": text(),
        "at": timestamp(),
        "x": number(nullable=True),
        "n": integer(nullable=True),
        "ok": boolean(nullable=True),
    },
)
CSV = (
    "\ufeffid,at,x,n,ok\n"
    'a,2013-01-01T00:00:00Z,1.5,3,true\n"b ""q""",2013-01-01T00:00:00Z,,,\nc,2013-01-01T00:00:00Z,nan,1_0,0\n'
)


def parquet() -> bytes:
    """Two good rows, with pandas' way of writing what is missing."""
    at = pa.array([datetime(2013, 1, 1, tzinfo=UTC)] * 2, pa.timestamp("ns", "America/New_York"))
    table = pa.table({"id": ["a", "b"], "at": at, "x": [1.5, float("nan")], "n": [3.0, None], "ok": [True, None]})
    content = io.BytesIO()
    pq.write_table(table, content)
    return content.getvalue()


def rows(name: str, content: bytes) -> list[Any]:
    """All rows of a file."""
    return [row for _, batch in read_batches(name, io.BytesIO(content), source) for row in batch]


@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("f.csv", CSV.encode()),
        ("f.JSONL", b'{"id": "a", "at": "2013-01-01T00:00:00Z", "x": 1.5, "n": 3, "ok": true}\n\n{"id": "b"}'),
        ("f.parquet", parquet()),
    ],
)
def test_all_types_read_the_same_record(name: str, content: bytes, ending: str) -> None:
    """CSV, JSON Lines and Parquet, plain or gzipped, give the same first record."""
    packed = gzip.compress(content) if ending else content
    records, _ = check_all(source, rows(name + ending, packed), parse_day("2013-02-01"))
    assert records[0].values == {"id": "a", "at": parse_day("2013-01-01"), "x": 1.5, "n": 3, "ok": True}


def test_csv_text_that_is_no_value_is_rejected() -> None:
    """An empty cell is null; not a number, or a number as only Python writes it, is rejected by the contract."""
    records, rejections = check_all(source, rows("f.csv", CSV.encode()), parse_day("2013-02-01"))
    assert records[1].values["x"] is None
    assert [(r.index, r.field, r.rule) for r in rejections] == [(2, "x", "finite")]


def test_a_row_with_too_many_columns_is_rejected() -> None:
    """A value beyond the header belongs to no field."""
    _, rejections = check_all(source, rows("f.csv", b"id,at\na,2013-01-01T00:00:00Z,7\n"), parse_day("2013-02-01"))
    assert [r.rule for r in rejections] == ["unknown"]


def test_a_bad_line_does_not_stop_the_good_ones() -> None:
    """A line that is no JSON is rejected with its number, and the next one is read."""
    content = b'{"id": "a"\n\xff\n{"id": "a", "at": "2013-01-01T00:00:00Z"}\n'
    records, rejections = check_all(source, rows("f.jsonl", content), parse_day("2013-02-01"))
    assert [r.index for r in rejections] == [0, 1]
    assert len(records) == 1


def test_batches_say_where_they_begin() -> None:
    """Each batch carries the number of its first row and the lines of all, blank ones counted."""
    content = io.BytesIO(b"{}\n\n" + b"{}\n" * 4)
    batches = list(read_numbered("f.jsonl", content, source, Limits(2, 1_000)))
    assert [batch.first for batch in batches] == [0, 2, 4]
    assert [batch.lines for batch in batches] == [[1, 3], [4, 5], [6]]


def test_a_parquet_batch_does_not_end_with_its_row_group() -> None:
    """However a file was written, its batches have the same rows."""
    content = io.BytesIO()
    pq.write_table(pa.table({"n": range(7)}), content, row_group_size=3)
    batches = read_numbered("f.parquet", content, source, Limits(2, 1_000))
    assert [[row["n"] for row in batch.rows] for batch in batches] == [[0, 1], [2, 3], [4, 5], [6]]


def test_a_row_with_too_few_columns_has_nulls() -> None:
    """What a short row leaves out is null, for the contract to judge."""
    assert rows("f.csv", b"id,at,x\na\n") == [{"id": "a", "at": None, "x": None}]


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("f.xlsx", b"", UnsupportedType),
        ("f.csv.gz", b"not gzip", MalformedBody),
        ("f.csv.gz", gzip.compress(CSV.encode(), mtime=0)[:-12], MalformedBody),
        ("f.csv", b"id,at\n\xff,\n", MalformedBody),
        ("f.csv", b'id,at\n"a,', MalformedBody),
        ("f.csv", b"id,at\n" + b"x" * 2_000_000, MalformedBody),
        ("f.parquet", b"PAR1 but not really", MalformedBody),
        ("f.parquet", parquet()[:-20], MalformedBody),
    ],
)
def test_a_broken_file_is_the_senders_fault(name: str, content: bytes, error: type[InvalidInput]) -> None:
    """A file that is not what its name says raises our error, not the library's."""
    with pytest.raises(error):
        list(itertools.chain(rows(name, content)))
