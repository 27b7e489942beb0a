"""Proves that the predictions of a file that was scored in parts come back as one file, in its order."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from smallbox.cli.scored_files import download_predictions, score
from smallbox.errors import InvalidInput
from smallbox.lake.parquet import to_parquet
from smallbox.serving.scored_file import predictions_name

FOLDER = "score/m/out/f.csv"


class _System:
    """Objects that are there, and what was uploaded."""

    def __init__(self, objects: dict[str, bytes]) -> None:
        self.objects, self.uploaded = objects, list[str]()
        self.outputs = {"InboxBucket": "inbox"}

    def upload(self, key: str, _: Path) -> None:
        self.uploaded.append(key)

    def wait_for_object(self, _: str, key: str, seconds: float = 120, meanwhile: Any = None) -> bytes:
        assert seconds >= 120
        if meanwhile is not None:
            meanwhile()
        return next(content for known, content in self.objects.items() if key.endswith(known.rpartition("/")[2]))

    def client(self, _: str) -> Any:
        return self

    def list_objects_v2(self, Bucket: str, Prefix: str) -> Any:  # noqa: N803 - as boto3 names them
        assert (Bucket, Prefix.endswith("/predictions-")) == ("inbox", True)
        return {"Contents": [{"Key": key} for key in self.objects if "-of-" in key]}


@pytest.mark.parametrize("parts", [1, 3])
def test_the_parts_are_joined(parts: int, tmp_path: Path) -> None:
    """Row after row, part after part; a file of one part is taken as it is."""
    tables = [pa.table({"key": [f"{n}a", f"{n}b"]}) for n in range(parts)]
    system: Any = _System({predictions_name(n, parts): to_parquet(table) for n, table in enumerate(tables)})
    report = {"folder": FOLDER, "parts": parts}
    found = download_predictions(system, report, tmp_path / "f.csv")
    assert found == tmp_path / "f.csv.predictions.parquet"
    assert pq.read_table(found).equals(pa.concat_tables(tables))


def test_whoever_waits_is_told_how_many_parts_are_done(tmp_path: Path) -> None:
    """From the names of the predictions that are there; the report is what comes back."""
    done = {f"{FOLDER}/{predictions_name(n, 40)}": b"" for n in range(7)}
    system: Any = _System({**done, "report.json": b'{"scored": 9}'})
    file, told = tmp_path / "f.csv", list[str]()
    file.write_bytes(b"a\n1\n")
    assert score(system, "m", file, told.append) == {"scored": 9}
    assert told == ["upload", "cut", "7 of 40 parts"]


def test_a_refused_file_is_an_error(tmp_path: Path) -> None:
    """With the words of the report."""
    system: Any = _System({"report.json": b'{"error": {"message": "1 of 3 parts", "details": {}}}'})
    file = tmp_path / "f.csv"
    file.write_bytes(b"")
    with pytest.raises(InvalidInput, match="1 of 3 parts"):
        score(system, "m", file)
