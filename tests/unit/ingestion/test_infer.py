"""Proves that an inferred contract is code, and that the rows it was inferred from keep it."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from smallbox.cli.main import main
from smallbox.define.source import Source
from smallbox.errors import MalformedBody
from smallbox.ingestion.contract import check_all
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
    }
)


def _source(code: str) -> Source:
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102 - what the command printed
    found = names["orders"]
    assert isinstance(found, Source)
    return found


@pytest.mark.parametrize("kind", ["csv", "csv.gz", "jsonl", "parquet"])
def test_a_file_keeps_the_contract_that_was_inferred_from_it(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The printed code runs, and every row of the file passes the contract it makes."""
    file = tmp_path / f"orders.{kind}"
    if kind == "parquet":
        ROWS.to_parquet(file, index=False)
    elif kind == "jsonl":
        ROWS.to_json(file, orient="records", lines=True)
    else:
        ROWS.to_csv(file, index=False)
    assert main(["contract", "infer", str(file)]) == 0
    source = _source(capsys.readouterr().out)
    with file.open("rb") as content:
        checked = [
            check_all(source, rows, parse_day("2026-02-01")) for _, rows in read_batches(file.name, content, source)
        ]
    assert sum(len(accepted) for accepted, _ in checked) == len(ROWS)
    assert [rejected for _, rejected in checked] == [[]]


def test_the_contract_says_what_the_rows_show() -> None:
    """Types, nulls, signs and few values are read off the rows; the key is unique and the time a moment."""
    source = _source(infer_source("orders", ROWS))
    assert (source.key, source.time) == ("order", "placed")
    assert {name: field.type for name, field in source.fields.items()} == {
        "order": "text", "placed": "timestamp", "country": "text", "amount": "number", "balance": "number",
        "items": "integer", "gift": "boolean", "note": "text",
    }  # fmt: skip
    assert source.fields["country"].choices == ("de", "fr")
    assert [name for name, field in source.fields.items() if field.nullable] == ["balance", "note"]
    assert [name for name, field in source.fields.items() if field.minimum == 0] == ["amount", "items"]


def test_what_is_missing_is_named() -> None:
    """Without a key or a moment there is no source, and the message lists what was found."""
    with pytest.raises(MalformedBody, match="time columns"):
        infer_source("orders", ROWS.drop(columns="placed"))
