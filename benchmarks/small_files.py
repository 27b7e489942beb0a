"""What the rebuilds after small dropped files write: of the whole source, of what each file brought, and together.

Thirty files of 200 rows on a lake of this machine, upon no history and upon one of 100,000 rows. The store is in memory
and counts what it is asked for: a marker or a state that is written is a paid write on DynamoDB.
"""

import tempfile
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from smallbox.aws.delta_lake import DeltaLake
from smallbox.define import FeatureView, Source, count, mean, number, text, timestamp
from smallbox.define.project import Project
from smallbox.features.live_views import LiveView, LiveViews, LiveViewStore, id_of
from smallbox.features.rebuild import RebuildTask
from smallbox.lake.names import records_table
from smallbox.lake.schemas import records_to_table
from smallbox.messages.rebuilds import rebuild_loaded
from smallbox.ports import Marker, StateKey, StateWrite, StoredState
from smallbox.records import Record
from smallbox.times import DAY, SECOND, Micros, parse_day

NOW = parse_day("2013-03-01")
FILES, ROWS, HISTORY, SHOPS = 30, 200, 100_000, 5_000
SALES = Source(
    "sales", "id", "at", {"id": text(), "at": timestamp(), "shop": text(), "amount": number()}, known_after="0s"
)
SHOP = FeatureView("shop", "shop", SALES, {"sales_24h": count("24h"), "amount_7d": mean("amount", "7d")})
PROJECT = Project({SALES.name: SALES}, {SHOP.name: SHOP}, {})

Messages = Sequence[Sequence[Mapping[str, Any]]]


class OneLiveView(LiveViewStore):
    """The view is live, and stays so; read without a store."""

    def __init__(self) -> None:
        self._live = LiveViews(1, {id_of(SHOP): LiveView(SHOP, 1, is_ready=True, needed_by=("definition",))})

    def read(self) -> LiveViews:
        """The live views."""
        return self._live


class CountingStore:
    """The ``OnlineStore`` port over two dicts; counts."""

    def __init__(self) -> None:
        self.states: dict[StateKey, StoredState] = {}
        self.marked: dict[str, str] = {}
        self.written = self.marks = self.asked = 0

    def read(self, keys: Sequence[StateKey], within: int | None = None) -> Mapping[StateKey, StoredState]:
        """The states."""
        del within
        return {key: self.states[key] for key in keys if key in self.states}

    def markers(self, ids: Sequence[str]) -> Mapping[str, str]:
        """The markers."""
        self.asked += len(ids)
        return {identity: self.marked[identity] for identity in ids if identity in self.marked}

    def commit(self, markers: Sequence[Marker], states: Sequence[StateWrite]) -> None:
        """Write all of them."""
        self.mark(markers)
        self.written += len(states)
        self.states |= {state.key: StoredState(state.packed, state.expected + 1) for state in states}

    def mark(self, markers: Sequence[Marker]) -> None:
        """Write the markers."""
        self.marks += len(markers)
        self.marked |= {marker.id: marker.digest for marker in markers}


class NoQueue:
    """The ``Queue`` port for what is never sent here."""

    def send(self, messages: Sequence[Mapping[str, Any]], delay: Micros = 0, within: Micros | None = None) -> None:
        """Send nothing."""


def rows(name: str, number: int, received_at: Micros) -> pa.Table:
    """Sales of a week, in shops at random."""
    random = np.random.default_rng(zlib.crc32(name.encode()))
    times = (NOW - random.integers(1, 7 * DAY, number)).tolist()
    shops = random.integers(0, SHOPS, number).tolist()
    values: list[dict[str, Any]] = [
        {"id": f"{name} {n}", "at": at, "shop": f"shop {shop}", "amount": float(n)}
        for n, (at, shop) in enumerate(zip(times, shops, strict=True))
    ]
    return records_to_table(SALES, [Record("sales", v["id"], v["at"], v["at"], received_at, v) for v in values])


def whole(asked: Messages) -> Messages:
    """A rebuild of the source after each file."""
    return [[{"source": "sales"}] for _ in asked]


def apart(asked: Messages) -> Messages:
    """A rebuild of what each file brought."""
    return asked


def together(asked: Messages) -> Messages:
    """One rebuild of what all files that waited brought."""
    return [[message for messages in asked for message in messages]]


def measured(how: Callable[[Messages], Messages], history: int) -> tuple[CountingStore, float]:
    """Load the files and run their rebuilds; what was written and read, and the seconds of the rebuilds."""
    store = CountingStore()
    with tempfile.TemporaryDirectory() as folder:
        lake = DeltaLake(str(Path(folder) / "tables"))
        task = RebuildTask(PROJECT, OneLiveView(), lake, store, NoQueue(), lambda _: None)
        if history:
            lake.append(records_table(SALES), rows("old", history, NOW - DAY))
            task.run([{"source": "sales"}], NOW)
        store.written = store.marks = store.asked = 0
        asked, seconds = [], 0.0
        for number in range(FILES):
            version = lake.version(records_table(SALES))
            received_at = NOW + number * SECOND
            lake.append(records_table(SALES), rows(f"file {number}", ROWS, received_at))
            asked.append([rebuild_loaded("sales", received_at, -1 if version is None else version)])
            if how is not together:
                seconds += _run(task, how(asked[-1:])[0], received_at)
        if how is together:
            seconds += _run(task, how(asked)[0], NOW + FILES * SECOND)
    return store, seconds


def _run(task: RebuildTask, messages: Sequence[Mapping[str, Any]], now: Micros) -> float:
    began = time.perf_counter()
    task.run(messages, now)
    return time.perf_counter() - began


def main() -> None:
    """Print the table."""
    print("| history | rebuilt | markers written | states written | markers read | seconds |")
    print("|---|---|---|---|---|---|")
    for history in (0, HISTORY):
        for how, name in ((whole, "the source, after each file"), (apart, "each file's"), (together, "all at once")):
            store, seconds = measured(how, history)
            print(f"| {history:,} | {name} | {store.marks:,} | {store.written:,} | {store.asked:,} | {seconds:.1f} |")


if __name__ == "__main__":
    main()
