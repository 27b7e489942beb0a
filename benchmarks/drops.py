"""What a worker loads of a dropped file in a second of a processor, and in how much memory, part by part, to a disk.

``python benchmarks/drops.py`` loads 250,000 rows of each type; ``--rows 3000000 --only csv`` a large file of one.
Each file is loaded in a process of its own, whose peak memory is told, by one worker that takes the parts in turn.
"""

import argparse
import csv
import gzip
import io
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from smallbox.aws.delta_lake import DeltaLake
from smallbox.define import Source, boolean, integer, number, text, timestamp
from smallbox.define.project import Project
from smallbox.ingestion.load import LoadTask
from smallbox.registry.live_sources import LiveSources
from smallbox.times import MINUTE, Micros, format_moment, parse_day, to_datetime

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.folder_blobs import FolderBlobs

FLIGHTS: Final = Source(
    "flights",
    key="flight_id",
    time="arrived_at",
    known_after="0s",
    fields={
        "flight_id": text(),
        "arrived_at": timestamp(),
        "carrier": text(),
        "origin": text(choices=("EWR", "JFK", "LGA")),
        "destination": text(),
        "tail_number": text(nullable=True),
        "distance": integer(minimum=0),
        "delay_minutes": number(nullable=True, minimum=-120, maximum=2_000),
        "air_minutes": number(nullable=True),
        "late": boolean(nullable=True),
    },
)
FIRST: Final = "drop/flights/first.csv"
"""A file of one row: a worker's first file pays for the import of libraries, a second or two."""
KINDS: Final = ("csv", "parquet", "jsonl.gz")
CHUNK: Final = 50_000
START: Final = parse_day("2013-01-01")


class SourcesRead(LiveSources):
    """The sources that live views read, given."""

    def __init__(self, names: frozenset[str]) -> None:
        self._names = names

    def names(self) -> frozenset[str]:
        """As given."""
        return self._names


class ListQueue:
    """The ``Queue`` port over a list."""

    def __init__(self) -> None:
        self.messages: list[Mapping[str, Any]] = []

    def send(self, messages: Sequence[Mapping[str, Any]], delay: Micros = 0, within: Micros | None = None) -> None:
        """Take the messages."""
        del delay, within
        self.messages += messages


def chunk(first: int, rows: int) -> dict[str, list[Any]]:
    """Rows of flights from that one on; one in a thousand has a delay that breaks the contract."""
    random = np.random.default_rng(first)
    delay = np.round(random.normal(8, 40, rows), 1).clip(-100, 1_900)
    delay[random.random(rows) < 0.001] = 9_999.0
    return {
        "flight_id": [f"20130101-UA-{n}-EWR" for n in range(first, first + rows)],
        "arrived_at": [to_datetime(START + n * MINUTE // 8) for n in range(first, first + rows)],
        "carrier": random.choice(["UA", "B6", "EV", "DL", "AA"], rows).tolist(),
        "origin": random.choice(["EWR", "JFK", "LGA"], rows).tolist(),
        "destination": random.choice(["IAH", "MIA", "BQN", "ATL", "ORD", "FLL"], rows).tolist(),
        "tail_number": [f"N{n}" for n in random.integers(10_000, 14_000, rows).tolist()],
        "distance": random.integers(80, 5_000, rows).tolist(),
        "delay_minutes": delay.tolist(),
        "air_minutes": random.integers(20, 700, rows).astype(float).tolist(),
        "late": (delay > 15).tolist(),
    }


def write(file: Path, kind: str, rows: int) -> None:
    """A file of flights."""
    firsts = range(0, rows, CHUNK)
    chunks = (chunk(first, min(CHUNK, rows - first)) for first in firsts)
    if kind == "parquet":
        with pq.ParquetWriter(file, pa.table(chunk(0, 1)).schema) as writer:
            for columns in chunks:
                writer.write_table(pa.table(columns))
        return
    with gzip.open(file, "wt", compresslevel=1) if kind.endswith(".gz") else file.open("w", newline="") as lines:
        header = csv.writer(lines)
        if kind == "csv":
            header.writerow(FLIGHTS.fields)
        for columns in chunks:
            columns["arrived_at"] = [format_moment(round(at.timestamp() * 1e6)) for at in columns["arrived_at"]]
            lines.write(_text(columns, kind))


def _text(columns: dict[str, list[Any]], kind: str) -> str:
    rows = zip(*columns.values(), strict=True)
    if kind == "csv":
        text_of_rows = io.StringIO()
        csv.writer(text_of_rows).writerows(rows)
        return text_of_rows.getvalue()
    return "".join(json.dumps(dict(zip(columns, row, strict=True))) + "\n" for row in rows)


def load(folder: Path, key: str) -> dict[str, Any]:
    """Load a file as one warm worker after the other would; seconds by step, rows, and peak memory of this process."""
    parts, rebuild = ListQueue(), ListQueue()
    inbox, blobs = FolderBlobs(folder / "inbox"), FolderBlobs(folder / "lake")
    project, lake = Project({"flights": FLIGHTS}, {}, {}), DeltaLake(str(folder / "lake"), options={})
    drops = LoadTask(
        project,
        SourcesRead(frozenset()),
        lake,
        blobs,
        inbox,
        parts,
        rebuild,
    )
    drops.take(FIRST)
    begun, used = time.perf_counter(), time.process_time()
    drops.take(key)
    cut = time.perf_counter()
    for message in parts.messages:
        drops.take_part(message)
    ended, used = time.perf_counter(), time.process_time() - used
    report = json.loads(blobs.get(f"reports/{key}.json"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"cut": cut - begun, "load": ended - cut, "used": used, "peak": peak, **report}


def main() -> None:
    """Print the table, or load the one file that a parent process names."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rows", type=int, default=250_000)
    arguments.add_argument("--only", choices=KINDS)
    arguments.add_argument("--load", nargs=2, help=argparse.SUPPRESS)
    chosen = arguments.parse_args()
    if chosen.load:
        print(json.dumps(load(Path(chosen.load[0]), chosen.load[1])))
        return
    print("| type | rows | parts | MB | cut, s | load, s | rows per processor second | peak memory, MiB |")
    print("|---|---|---|---|---|---|---|---|")
    for kind in [chosen.only] if chosen.only else KINDS:
        _measure(kind, chosen.rows)


def _measure(kind: str, rows: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        key = f"drop/flights/all.{kind}"
        file = Path(folder) / "inbox" / key
        file.parent.mkdir(parents=True)
        write(file, kind, rows)
        write(Path(folder) / "inbox" / FIRST, "csv", 1)
        size = file.stat().st_size / 1e6
        command = [sys.executable, __file__, "--load", folder, key]
        loaded = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)  # noqa: S603 ourselves
    if loaded["accepted"] + loaded["rejected"] != rows:
        raise RuntimeError(f"{rows} rows were dropped, but the report says {loaded}")
    print(
        f"| {kind} | {rows:,} | {loaded['parts']} | {size:.0f} | {loaded['cut']:.1f} | {loaded['load']:.1f} "
        f"| {rows / loaded['used']:,.0f} | {loaded['peak']:.0f} |"
    )


if __name__ == "__main__":
    main()
