"""Proves that a file is cut into files that stand for themselves, and that a row keeps its number and its line."""

import gzip
import io
from array import array

import pytest

from smallbox.define import Source, text, timestamp
from smallbox.errors import UnsupportedType
from smallbox.ingestion.file_parts import FilePart, FileSplitter, Sizes
from smallbox.ingestion.readers import Limits, read_numbered

SIZES = Sizes(batch=Limits(2, 1_000), part=Limits(3, 1_000))
source = Source("s", "id", "at", {"id": text(), "at": timestamp()})
CSV = b'\xef\xbb\xbfid,"a\nt"\na,1\n\nb,"2\n2"\nc,3\nd,4\ne,5\n'


def _cut(name: str, content: bytes, sizes: Sizes = SIZES) -> tuple[list[FilePart], str]:
    cutting = FileSplitter(name, io.BytesIO(content), sizes)
    parts = list(cutting.parts())
    return parts, "" if cutting.error is None else cutting.error.message


def test_a_part_ends_with_the_batch_that_fills_it() -> None:
    """Batches of two and parts of three rows make parts of four rows: what is checked together stays together."""
    parts, error = _cut("f.jsonl", b"{}\n" * 9)
    assert [(part.first, part.content.count(b"{}")) for part in parts] == [(0, 4), (4, 4), (8, 1)]
    assert error == ""


def test_each_part_of_a_csv_has_the_header_and_knows_its_lines() -> None:
    """The fifth row stands on line 9 of the file, counted from 1, over quoted line breaks, blank lines and a mark."""
    parts, _ = _cut("f.csv", CSV)
    assert [part.first for part in parts] == [0, 4]
    (batch,) = read_numbered("f.csv", io.BytesIO(parts[1].content), source)
    assert list(batch.rows) == [{"id": "e", "a\nt": "5"}]
    assert list(parts[0].lines) == [3, 5, 7, 8]
    assert list(parts[1].lines) == [9]
    assert CSV.splitlines()[9 - 1] == b"e,5"


def test_long_rows_fill_a_part_by_their_bytes() -> None:
    """A part stays small in memory however long its lines are."""
    parts, _ = _cut("f.jsonl", (b'"%s"\n' % (b"x" * 2_000)) * 3)
    assert [part.first for part in parts] == [0, 1, 2]


def test_the_parts_of_a_gzipped_file_are_plain() -> None:
    """A worker does not unpack the whole to find its part."""
    assert _cut("f.jsonl.gz", gzip.compress(b"{}\n", mtime=0))[0] == [FilePart(0, array("q", [1]), b"{}\n")]


@pytest.mark.parametrize(
    ("name", "content", "rows", "where"),
    [
        ("f.csv", b'id,at\na,1\nb,2\n"c,\n', 2, "in the row that begins at line 4"),
        ("f.csv", b"id,at\na,1\n\xff,2\n", 1, "in the row that begins at line 3"),
        ("f.jsonl", b"{}\n" + b"x" * 2_000_000, 1, "in the row that begins at line 2"),
        ("f.csv", b"\xff\n", 0, "in the row that begins at line 1"),
        ("f.parquet", b"PAR1 but not really", 0, "cannot be read"),
    ],
)
def test_what_stands_before_a_break_is_kept_and_the_break_is_named(
    name: str, content: bytes, rows: int, where: str
) -> None:
    """The whole rows before the break are in the parts; the error says where to look."""
    parts, error = _cut(name, content)
    kept = [row for part in parts for b in read_numbered(name, io.BytesIO(part.content), source) for row in b.rows]
    assert len(kept) == rows
    assert where in error


def test_a_file_of_another_type_is_not_cut() -> None:
    """The ending decides, before anything is read."""
    with pytest.raises(UnsupportedType, match=r"\.csv, \.parquet or \.jsonl"):
        _cut("f.xlsx", b"")
