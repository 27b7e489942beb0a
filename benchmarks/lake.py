"""What upkeep costs and saves: `current` brought forward or written anew, a log of small appends before and after.

On a folder of this machine; on S3 every file and every commit that is opened costs a request more.
"""

import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

from smallbox.arrays import Ints
from smallbox.aws.delta_lake import DeltaLake
from smallbox.define import Source, number, text, timestamp
from smallbox.define.project import Project
from smallbox.ingestion.upkeep import UpkeepTask
from smallbox.lake.current_rows import bring_forward
from smallbox.lake.history import valid_at
from smallbox.lake.names import current_table, records_table
from smallbox.lake.schemas import record_schema
from smallbox.registry.live_sources import LiveSources

FIGURES = [f"x{n}" for n in range(8)]
SOURCE = Source(
    "readings", "id", "at", {"id": text(), "at": timestamp(), **{name: number() for name in FIGURES}}, known_after="0s"
)
LOG, CURRENT = records_table(SOURCE), current_table(SOURCE)
KEYS, NEWS, APPENDS = 1_000_000, 10_000, 500


class SourcesRead(LiveSources):
    """The sources that live views read, given."""

    def __init__(self, names: frozenset[str]) -> None:
        self._names = names

    def names(self) -> frozenset[str]:
        """As given."""
        return self._names


class NoQueue:
    """The ``Queue`` port of a project without views: nothing is sent."""

    def send(self, messages: Sequence[Mapping[str, Any]], delay: int = 0, within: int | None = None) -> None:
        """Send nothing."""


RANDOM = np.random.default_rng(0)


def rows_of(numbers: Ints, received_at: int) -> pa.Table:
    """A version of each key: keys and event times go up with the numbers, as flights and payments do."""
    ids = [f"reading-{n:012d}" for n in numbers]
    moments = numbers * 1_000_000
    columns = {"key": ids, "time": moments, "known_at": moments, "received_at": np.full(len(ids), received_at)}
    columns |= {"digest": [f"{n:032x}" for n in RANDOM.integers(0, 2**62, len(ids))], "id": ids, "at": moments}
    return pa.table(columns | {name: RANDOM.random(len(ids)) for name in FIGURES}, schema=record_schema(SOURCE))


def seconds(work: Callable[[], object]) -> float:
    """How long it takes once."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def millis(work: Callable[[], object]) -> float:
    """The median of seven, in milliseconds."""
    return 1_000 * statistics.median(seconds(work) for _ in range(7))


def write_anew(folder: str, lake: DeltaLake, as_of: int) -> None:
    """The table without a merge: the whole log read, deduplicated and written."""
    log = lake.read(LOG)
    write_deltalake(f"{folder}/anew", valid_at(log, as_of), mode="overwrite")


def bring(folder: str) -> None:
    """Print what it costs to bring ``current`` forward by different kinds of news."""
    lake, as_of = DeltaLake(folder, options={}), 10 * KEYS * 1_000_000
    lake.append(LOG, rows_of(np.arange(KEYS), 1))
    tell_run(f"{KEYS:,} keys, first time", folder, as_of)
    half = NEWS // 2
    kinds = {
        "new keys": np.arange(KEYS, KEYS + NEWS),
        "half corrections of the last day": np.arange(KEYS + half, KEYS + half + NEWS),
        "half corrections of anything": np.append(
            RANDOM.choice(KEYS, half, replace=False), np.arange(KEYS * 2, KEYS * 2 + half)
        ),
    }
    for at, (kind, numbers) in enumerate(kinds.items()):
        lake.append(LOG, rows_of(numbers, at + 2))
        tell_run(f"{NEWS:,} rows, {kind}", folder, as_of)
    print(f"{'written anew':50} {seconds(lambda: write_anew(folder, lake, as_of)):6.2f} s")
    print(f"{'compact and vacuum':50} {seconds(lambda: keep(lake)):6.2f} s")


def tell_run(what: str, folder: str, as_of: int) -> None:
    """Print the time and the most memory of a run in a process of its own, as a function has one."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        took, before, most = pool.apply(run, (folder, as_of))
    print(f"{what:50} {took:6.2f} s, {most:,.0f} MB of memory, {before:,.0f} of them before it began")


def run(folder: str, as_of: int) -> tuple[float, float, float]:
    """Seconds of a run that brings ``current`` forward, and megabytes before it and at most."""
    lake, before = DeltaLake(folder, options={}), most_memory()
    return seconds(lambda: bring_forward(SOURCE, lake, as_of)), before, most_memory()


def most_memory() -> float:
    """The most megabytes that this process has had; what `getrusage` tells begins with those of its parent."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def keep(lake: DeltaLake) -> None:
    """One upkeep."""
    UpkeepTask(Project({SOURCE.name: SOURCE}, {}, {}), SourcesRead(frozenset()), lake, NoQueue()).run(
        {}, 20 * KEYS * 1_000_000
    )


def append_and_open(folder: str) -> None:
    """Print how long a log of many small appends takes to open and to read, before and after upkeep."""
    lake = DeltaLake(folder, options={})
    for at in range(APPENDS + 99):
        lake.append(LOG, rows_of(np.arange(at, at + 1), at))
        if at + 1 in {APPENDS, APPENDS + 99}:
            tell(folder, f"after {at + 1} appends")
    keep(lake)
    tell(folder, "after upkeep")


def tell(folder: str, when: str) -> None:
    """Print the time to open the log, and to open and read it."""
    opening = millis(lambda: DeltaTable(f"{folder}/{LOG}"))
    reading = millis(lambda: DeltaLake(folder, options={}).read(LOG))
    print(f"{when:24} open {opening:6.1f} ms, open and read {reading:7.1f} ms")


def main() -> None:
    """Print both tables."""
    with tempfile.TemporaryDirectory() as folder:
        bring(folder)
    with tempfile.TemporaryDirectory() as folder:
        append_and_open(folder)


if __name__ == "__main__":
    main()
