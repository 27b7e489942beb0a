"""What the daily check costs at 1, 10 and 100 times the history, with the same rows a day: seconds, rows read, memory.

Run: ``python benchmarks/check_history.py [--days 20 200 2000] [--rows 500]``. The tables are those of ``memory.py``:
predictions, records and labels on a Delta lake of this machine, compacted as the upkeep leaves it. The check runs in a
process of its own for the newest day. It has no stored profiles, so it reads the rows that these would spare it.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from smallbox.aws.delta_lake import DeltaLake
from smallbox.lake.names import labelled_table, predictions_table, records_table
from smallbox.times import DAY

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.folder_blobs import FolderBlobs
from benchmarks.memory import MODEL, NOW, ORDERS, RETURNS, check, join, write


class CountedLake(DeltaLake):
    """A lake that counts the rows that it reads."""

    rows_read = 0

    def read(self, *arguments: Any, **named: Any) -> pa.Table | None:
        """As the lake; counts."""
        found = super().read(*arguments, **named)
        self.rows_read += 0 if found is None else found.num_rows
        return found

    def slices(self, *arguments: Any, **named: Any) -> Iterator[pa.Table]:
        """As the lake; counts."""
        for found in super().slices(*arguments, **named):
            self.rows_read += found.num_rows
            yield found


def prepare(folder: Path, days: int, rows: int) -> None:
    """A history up to now, joined and compacted."""
    write(folder, days * rows, days * DAY, NOW)
    lake = DeltaLake(str(folder), options={})
    join(lake, FolderBlobs(folder))
    for table in (predictions_table(MODEL.name), labelled_table(MODEL.name), *map(records_table, (ORDERS, RETURNS))):
        lake.compact(table)


def run_alone(folder: Path) -> None:
    """Check the newest day in this process; print seconds, rows read and megabytes at the peak."""
    lake, files = CountedLake(str(folder), options={}), FolderBlobs(folder)
    began = time.perf_counter()
    check(lake, files)
    seconds = time.perf_counter() - began
    print(json.dumps([seconds, lake.rows_read, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))


def measured(days: int, rows: int) -> list[float]:
    """Seconds, rows read and megabytes after a history; a process inherits the peak of the one that starts it."""
    with tempfile.TemporaryDirectory() as folder:
        this = [sys.executable, __file__, "--folder", folder]
        subprocess.run([*this, "--days", str(days), "--rows", str(rows)], check=True)  # noqa: S603 - this script
        done = subprocess.run([*this, "--run"], check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603 - this script
        found: list[float] = json.loads(done.stdout)
        return found


def main() -> None:
    """Print the table, or check one lake for the measuring process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, nargs="+", default=[20, 200, 2000])
    parser.add_argument("--rows", type=int, default=500)
    parser.add_argument("--folder", type=Path, help="only write a history there")
    parser.add_argument("--run", action="store_true", help="only check the history in that folder")
    arguments = parser.parse_args()
    if arguments.folder is not None:
        if arguments.run:
            run_alone(arguments.folder)
        else:
            prepare(arguments.folder, arguments.days[0], arguments.rows)
        return
    print("| days | predictions | check, s | rows read | MB |")
    print("|---|---|---|---|---|")
    for days in arguments.days:
        seconds, read, peak = measured(days, arguments.rows)
        print(f"| {days:,} | {days * arguments.rows:,} | {seconds:.2f} | {read:,} | {peak:.0f} |", flush=True)


if __name__ == "__main__":
    main()
