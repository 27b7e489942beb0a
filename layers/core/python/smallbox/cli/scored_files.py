"""What ``smallbox score`` does: drops a file of requests, follows its parts, and fetches the predictions."""

import io
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from smallbox.cli.data import read_report
from smallbox.cli.system import System

_LEAST_SECONDS: Final = 120
_BYTES_A_SECOND: Final = 200_000
"""Less than the speed of any scoring; the timeout grows with the file at this rate."""


def score(system: System, model: str, file: Path, tell: Callable[[str], None] = lambda _: None) -> Any:
    """Drop a file of requests and wait until it is scored; return the scorer's report.

    Args:
        system: the running system.
        model: the model.
        file: CSV, Parquet or JSON lines, each also gzipped.
        tell: called with the name of each step, and how many parts are done.
    """
    name = f"{time.time_ns()}-{file.name}"
    folder = f"score/{model}/out/{name}"
    tell("upload")
    system.upload(f"score/{model}/in/{name}", file)
    tell("cut")
    seconds = _LEAST_SECONDS + file.stat().st_size / _BYTES_A_SECOND
    report = system.wait_for_object(
        "InboxBucket", f"{folder}/report.json", seconds, lambda: tell(parts_in(_names(system, folder)) or "cut")
    )
    return read_report(report)


def download_predictions(system: System, report: Any, file: Path) -> Path:
    """Fetch the predictions of a scored file, in its order, as one Parquet file beside it; return its path."""
    import pyarrow.parquet as pq  # noqa: PLC0415 - only where a file is scored

    from smallbox.serving.scored_file import predictions_name  # noqa: PLC0415 - as pyarrow

    target, names = file.with_name(f"{file.name}.predictions.parquet"), range(report["parts"] or 1)
    keys = [f"{report['folder']}/{predictions_name(number, report['parts'])}" for number in names]
    if len(keys) == 1:
        target.write_bytes(system.wait_for_object("InboxBucket", keys[0]))
        return target
    tables = (pq.read_table(io.BytesIO(system.wait_for_object("InboxBucket", key))) for key in keys)
    first = next(tables)
    with pq.ParquetWriter(target, first.schema) as writer:
        writer.write_table(first)
        for table in tables:
            writer.write_table(table)
    return target


def parts_in(names: Sequence[str]) -> str:
    """How far a file that was cut is, from the names of its predictions so far; empty while there are none.

    >>> parts_in(["predictions-00000-of-00040.parquet", "predictions-00007-of-00040.parquet", "report.json"])
    '2 of 40 parts'
    """
    done = [name for name in names if "-of-" in name]
    total = int(done[0].rpartition("-of-")[2].removesuffix(".parquet")) if done else 0
    return f"{len(done)} of {total} parts" if done else ""


def _names(system: System, folder: str) -> list[str]:
    found = system.client("s3").list_objects_v2(Bucket=system.outputs["InboxBucket"], Prefix=f"{folder}/predictions-")
    return [item["Key"].rpartition("/")[2] for item in found.get("Contents", [])]
