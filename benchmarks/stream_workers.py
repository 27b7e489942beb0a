"""How many records several workers of the stream apply together, where a transaction and a read take their time.

Run: ``python benchmarks/stream_workers.py``. Workers are threads of one process over a store in memory, which sleeps as
long as ``benchmarks/costs/stream.py`` assumes of DynamoDB, and refuses what another worker wrote first. With eight
workers the processor of this machine is the limit too. A worker whose attempts are used up begins its message again.
"""

import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.costs.stream import READ_SECONDS, TRANSACTION_SECONDS
from benchmarks.streams import NOW, Shape, payments, records_of, view_of
from smallbox.aws.backoff import jittered
from smallbox.errors import Conflict
from smallbox.features.online.apply import apply_records
from smallbox.ports import Marker, StateKey, StateWrite, StoredState
from smallbox.records import Record
from smallbox.times import HOUR, Micros

RECORDS = 2_000
CALLS = 2
WORKERS = (1, 2, 4, 8)
SHAPES = (
    Shape("each another entity", {"card": 1_000_000_000}),
    Shape("two views: each another, and 10", {"card": 1_000_000_000, "shop": 10}),
    Shape("10 entities", {"card": 10}),
    Shape("1 entity", {"card": 1}),
)


class SlowStore:
    """The ``OnlineStore`` port in memory, at the speed of a network."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._states: dict[StateKey, StoredState] = {}
        self._digests: dict[str, str] = {}
        self.refused = 0

    def read(self, keys: Sequence[StateKey], within: Micros | None = None) -> Mapping[StateKey, StoredState]:
        """The states that there are."""
        del within
        time.sleep(READ_SECONDS)
        return {key: self._states[key] for key in keys if key in self._states}

    def markers(self, ids: Sequence[str]) -> Mapping[str, str]:
        """The digests that there are."""
        time.sleep(READ_SECONDS)
        return {name: self._digests[name] for name in ids if name in self._digests}

    def commit(self, markers: Sequence[Marker], states: Sequence[StateWrite]) -> None:
        """Write all, or raise ``Conflict``."""
        time.sleep(TRANSACTION_SECONDS)
        with self._lock:
            stale = [one for one in states if one.expected != _version(self._states, one.key)]
            if stale or any(marker.id in self._digests for marker in markers):
                self.refused += 1
                raise Conflict("another worker was first")
            self._digests |= {marker.id: marker.digest for marker in markers}
            self._states |= {one.key: StoredState(one.packed, one.expected + 1) for one in states}

    def mark(self, markers: Sequence[Marker]) -> None:
        """Nobody marks here."""
        raise AssertionError(markers)


def _version(states: Mapping[StateKey, StoredState], key: StateKey) -> int:
    return states[key].version if key in states else 0


def apply_all(shape: Shape, store: SlowStore, calls: Sequence[Sequence[Record]]) -> None:
    """Apply the records of each call until they are done, as a queue delivers a failed message again."""
    for records in calls:
        while True:
            try:
                views = [view_of(name) for name in shape.entities]
                apply_records(payments, views, records, store, now=NOW, pause=jittered)
                break
            except Conflict:
                continue


def measured(shape: Shape, workers: int) -> tuple[float, int]:
    """Records a second of these workers together, and the transactions that were refused."""
    store = SlowStore()
    threads = []
    for worker in range(workers):
        firsts = range((worker * CALLS + 1) * 1_000_000, ((worker + 1) * CALLS + 1) * 1_000_000, 1_000_000)
        calls = [records_of(shape, RECORDS, first, (NOW - HOUR, NOW)) for first in firsts]
        threads.append(threading.Thread(target=apply_all, args=(shape, store, calls)))
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return workers * CALLS * RECORDS / (time.perf_counter() - began), store.refused


def main() -> None:
    """Print the table."""
    print(f"| records/s (refused transactions) | {' | '.join(f'{n} workers' for n in WORKERS)} |")
    print(f"|{'---|' * (1 + len(WORKERS))}")
    for shape in SHAPES:
        cells = [f"{rate:,.0f} ({refused})" for rate, refused in (measured(shape, n) for n in WORKERS)]
        print(f"| {shape.name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
