"""Records per second of one worker, from the body of a request to the lake, beside the least that this could cost.

Run: ``python benchmarks/ingestion.py [records]``. Bodies are arrays of 500 departures of 9 fields. Smallbox's own
classes do what the deployed functions do, a message through JSON between them, and append to a Delta table in a
temporary folder; there is no network. The bare version reads the JSON, makes a table of it and appends that: no
contract, no times, no digest. Ratios come first: 1.0 is the bare version. Both commit as many bodies at once as a batch
of the queue holds.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
from deltalake import write_deltalake

from definitions.flights import departures
from smallbox.aws.delta_lake import DeltaLake
from smallbox.define.project import project_of
from smallbox.ingestion.append import AppendTask
from smallbox.ingestion.collect import CollectTask
from smallbox.ingestion.contract import check_all
from smallbox.ingestion.http_body import parse_events
from smallbox.ingestion.quarantine import Quarantine
from smallbox.lake.names import records_table
from smallbox.lake.schemas import records_to_table
from smallbox.messages.encoded import EncodedMessage, text_of
from smallbox.messages.records import pack_records, unpack_records
from smallbox.ports import StoredObject
from smallbox.records import Record
from smallbox.registry.live_sources import LiveSources
from smallbox.times import MINUTE, Micros, Moment, format_moment, parse_day

RECORDS_A_BODY = 500
BODIES_A_COMMIT = 10
REPEATS = 3
NOW: Micros = parse_day("2014-01-01")
JSON = "application/json"


class SourcesRead(LiveSources):
    """The sources that live views read, given."""

    def __init__(self, names: frozenset[str]) -> None:
        self._names = names

    def names(self) -> frozenset[str]:
        """As given."""
        return self._names


class Sent:
    """The queue port: keeps the texts that it would send."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def send(self, messages: Sequence[Mapping[str, Any]], delay: Micros = 0, within: Micros | None = None) -> None:
        """Keep each message as SQS gets it."""
        del delay, within
        self.texts += map(text_of, messages)


class Nowhere:
    """The blobs port, which nothing is rejected into."""

    def put(self, key: str, content: bytes) -> None:
        """Refuse: the bodies are sound."""
        raise AssertionError(key, content)

    def put_new(self, key: str, content: bytes) -> None:
        """Refuse, as ``put``."""
        raise AssertionError(key, content)

    def get(self, key: str) -> bytes:
        """Nothing is here."""
        raise AssertionError(key)

    def list(self, prefix: str) -> Sequence[str]:
        """Nothing is here."""
        raise AssertionError(prefix)

    def download(self, key: str, into: BinaryIO) -> StoredObject:
        """Nothing is here."""
        raise AssertionError(key, into)

    def upload(self, key: str, content: BinaryIO) -> None:
        """Refuse, as ``put``."""
        raise AssertionError(key, content)

    def delete(self, key: str) -> None:
        """Nothing is here."""
        raise AssertionError(key)


def make(records: int) -> list[str]:
    """Bodies of departures, a minute apart."""
    start = parse_day("2013-01-01")
    rows = [
        {
            "flight_id": f"20130101-UA-{n}-EWR",
            "scheduled_at": format_moment(start + n % 500_000 * MINUTE),
            "carrier": "UA",
            "origin": ("EWR", "JFK", "LGA")[n % 3],
            "dest": "IAH",
            "distance": 1400.0 + n % 7,
            "departure_minute": n % 1440,
            "arrival_minute": (n + 120) % 1440,
            "weekday": n % 7,
        }
        for n in range(records)
    ]
    return [json.dumps(rows[at : at + RECORDS_A_BODY]) for at in range(0, records, RECORDS_A_BODY)]


def batches(items: Sequence[Any]) -> Iterable[Sequence[Any]]:
    """The bodies or messages of each commit."""
    return (items[at : at + BODIES_A_COMMIT] for at in range(0, len(items), BODIES_A_COMMIT))


def ours(bodies: Sequence[str], folder: str) -> None:
    """What the deployed functions do."""
    project, queue = project_of([], [departures]), Sent()
    collector = CollectTask(project, queue, Quarantine(Nowhere()))
    for number, body in enumerate(bodies):
        answer = collector.collect("departures", body.encode(), JSON, Moment(NOW), str(number))
        assert not answer["rejected"]  # noqa: S101 - a benchmark of something else otherwise
    appender = AppendTask(
        project,
        SourcesRead(frozenset()),
        DeltaLake(folder, options={}),
        Quarantine(Nowhere()),
        Sent(),
    )
    for texts in batches(queue.texts):
        appender.append([EncodedMessage.read(text) for text in texts])


def bare(bodies: Sequence[str], folder: str) -> None:
    """Text to table to lake, and nothing else."""
    for texts in batches(bodies):
        rows = [row for text in texts for row in json.loads(text)]
        write_deltalake(f"{folder}/bare", pa.Table.from_pylist(rows), mode="append")


def parsed(texts: Sequence[str]) -> list[list[Any]]:
    """The records of each body, not yet checked."""
    return [parse_events(text.encode(), JSON) for text in texts]


def checked(bodies: Sequence[list[Any]]) -> list[list[Record]]:
    """The records of each body."""
    return [check_all(departures, body, NOW)[0] for body in bodies]


def packed(bodies: Sequence[list[Record]]) -> list[str]:
    """The texts of the messages."""
    queue = Sent()
    for records in bodies:
        queue.send(pack_records(records))
    return queue.texts


def unpacked(texts: Sequence[str]) -> list[Record]:
    """The records of the messages."""
    return [record for text in texts for record in unpack_records(json.loads(text))]


def steps(bodies: Sequence[str], folder: str) -> dict[str, float]:
    """Seconds of each of our steps."""
    lake = DeltaLake(folder, options={})
    work: dict[str, Callable[[Any], Any]] = {
        "parse": parsed,
        "check": checked,
        "pack": packed,
        "unpack": unpacked,
        "to table": lambda records: records_to_table(departures, records),
        "append": lambda table: lake.append(records_table(departures), table),
    }
    taken = dict.fromkeys(work, 0.0)
    for batch in batches(bodies):
        done: Any = batch
        for step, do in work.items():
            begin = time.perf_counter()
            done = do(done)
            taken[step] += time.perf_counter() - begin
    return taken


def best_of(work: Callable[[str], Any]) -> float:
    """Seconds of the fastest of a few runs, each in a folder of its own."""
    times = []
    for _ in range(REPEATS):
        with tempfile.TemporaryDirectory() as folder:
            begin = time.perf_counter()
            work(str(Path(folder)))
            times.append(time.perf_counter() - begin)
    return min(times)


def main(records: int) -> None:
    """Print both tables."""
    bodies = make(records)
    seconds = {
        "bare: json, pyarrow, write_deltalake": best_of(lambda folder: bare(bodies, folder)),
        "smallbox": best_of(lambda folder: ours(bodies, folder)),
    }
    least = next(iter(seconds.values()))
    print(f"{records:,} records of {len(departures.fields)} fields in bodies of {RECORDS_A_BODY}, one worker\n")
    print("| way | ratio | records a second |\n|---|---|---|")
    for name, taken in seconds.items():
        print(f"| {name} | {taken / least:.1f} | {records / taken:,.0f} |")
    with tempfile.TemporaryDirectory() as folder:
        parts = steps(bodies, folder)
    print("\n| step | share | microseconds a record |\n|---|---|---|")
    for step, taken in parts.items():
        print(f"| {step} | {taken / sum(parts.values()):.0%} | {taken / records * 1e6:.1f} |")


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    main(*(given or [100_000]))
