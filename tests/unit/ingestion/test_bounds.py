"""Proves that a small file takes little memory whatever it unpacks to, and that a bomb is named as one."""

import gzip
import io
import json
import tracemalloc
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from smallbox.define import Source, text, timestamp
from smallbox.errors import InvalidInput, MalformedBody, TooLarge
from smallbox.ingestion import lines, unpacking
from smallbox.ingestion.file_parts import FileSplitter
from smallbox.ingestion.readers import read_batches, read_numbered
from tests.properties.dropped import PROJECTS, WHOLE, Dropping

BLANK_LINES = 100_000
source = Source("s", "id", "at", {"id": text(), "at": timestamp()})
HEADS = {"csv": b"id,at\n", "jsonl": b""}
ROWS = {"csv": b"a,2013-01-01T00:00:00Z\n", "jsonl": b'{"id": "a"}\n'}


def _peak_megabytes(work: Any) -> float:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_blank_lines_take_no_memory(kind: str) -> None:
    """100,000 blank lines between two rows are forgotten as they are read; the row after them keeps its line.

    Kept, they would take 10 MB.
    """
    plain = HEADS[kind] + ROWS[kind] + b"\n" * BLANK_LINES + ROWS[kind]
    content = gzip.compress(plain)
    first = 1 + HEADS[kind].count(b"\n")
    expected = [first, first + BLANK_LINES + 1]
    cut: list[int] = []
    read: list[int] = []

    def cut_and_read() -> None:
        for part in FileSplitter(f"f.{kind}.gz", io.BytesIO(content)).parts():
            cut.extend(part.lines)
        for batch in read_numbered(f"f.{kind}.gz", io.BytesIO(content), source):
            read.extend(batch.lines)

    assert _peak_megabytes(cut_and_read) < 3
    assert cut == read == expected


def test_a_csv_may_begin_with_blank_lines() -> None:
    """The header is the first line that is not blank."""
    ((first, rows),) = read_batches("f.csv", io.BytesIO(b"\n\r\nid,at\n\na,b\n"), source)
    assert (first, rows) == (0, [{"id": "a", "at": "b"}])


@pytest.fixture
def _small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounds that a test's file can reach."""
    monkeypatch.setattr(unpacking, "RATIO_FROM", 200_000)
    monkeypatch.setattr(unpacking, "UNPACKED_LIMIT", 600_000)


def _json_lines(rows: int) -> bytes:
    return b"".join(b'{"id": "%d", "at": "2013-01-01T00:00:00Z"}\n' % n for n in range(rows))


@pytest.mark.usefixtures("_small_limits")
@pytest.mark.parametrize("plain", [b"\n" * 400_000, _json_lines(20_000)], ids=["ratio", "size"])
def test_a_file_that_unpacks_to_too_much_is_refused(plain: bytes) -> None:
    """Whether by the ratio or by the size, reading and cutting stop with the limit and what to do instead."""
    content = gzip.compress(plain)
    with pytest.raises(TooLarge, match=r"drop it without \.gz, in several files"):
        list(read_numbered("f.jsonl.gz", io.BytesIO(content), source))
    cutting = FileSplitter("f.jsonl.gz", io.BytesIO(content))
    list(cutting.parts())
    assert isinstance(cutting.error, TooLarge)
    assert len(list(read_numbered("f.jsonl", io.BytesIO(plain), source))) == 2 * (b"{" in plain), "plain, it is read"


@pytest.mark.usefixtures("_small_limits")
def test_a_file_within_the_bounds_is_read() -> None:
    """A large file that packs well, and a small one that packs like nothing else, are no bombs."""
    for plain, rows in ((_json_lines(5_000), 5_000), (b"\n" * 190_000 + b"{}\n", 1)):
        batches = read_numbered("f.jsonl.gz", io.BytesIO(gzip.compress(plain)), source)
        assert sum(len(batch.rows) for batch in batches) == rows


@pytest.mark.usefixtures("_small_limits")
def test_a_gzipped_parquet_file_has_the_same_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is unpacked to a file before it is read."""
    written = io.BytesIO()
    pq.write_table(pa.table({"id": ["x" * 200] * 3_000}), written, compression="none", use_dictionary=False)
    with pytest.raises(TooLarge):
        list(read_numbered("f.parquet.gz", io.BytesIO(gzip.compress(written.getvalue())), source))


@pytest.mark.usefixtures("_small_limits")
def test_a_bomb_has_the_reason_in_its_report() -> None:
    """What stood before is loaded and counted, nothing is tried again, and the code says too large."""
    system, key = Dropping(PROJECTS["1h"], WHOLE), "drop/things/all.jsonl.gz"
    system.store(key, gzip.compress(_json_lines(1) + b"\n" * 400_000))
    system.drain()
    report = json.loads(system.blobs.get(f"reports/{key}.json"))
    assert (report["accepted"], report["error"]["code"]) == (1, "too_large")
    assert "all.jsonl.gz' has" in report["error"]["message"]


def test_a_row_that_never_ends_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quoted text that goes on over line after line is one row, which has a bound as a line has."""
    monkeypatch.setattr(lines, "ROW_LIMIT", 1_000)
    cutting = FileSplitter("f.csv", io.BytesIO(b'id,at\na,b\n"' + b'","\n' * 1_000))
    (part,) = cutting.parts()
    assert list(part.lines) == [2]
    assert cutting.error is not None
    assert cutting.error.message == "a row is longer than 1000 bytes, in the row that begins at line 3"


def _parquet(*names: str) -> bytes:
    content = io.BytesIO()
    pq.write_table(pa.table([pa.array(["a"])] * len(names), names=list(names)), content)
    return content.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [("f.csv", b"id,at,id\n1,2,3\n"), ("f.parquet", _parquet("id", "at", "id"))],
)
def test_columns_of_one_name_are_refused(name: str, content: bytes) -> None:
    """One of them would be lost without a word: the header is refused, and no row is read."""
    with pytest.raises(InvalidInput, match="'id' names the columns 1 and 3"):
        list(read_numbered(name, io.BytesIO(content), source))
    cutting = FileSplitter(name, io.BytesIO(content))
    assert list(cutting.parts()) == []
    assert isinstance(cutting.error, MalformedBody)
