"""What a day of the label join costs at 1, 10 and 100 times the history: time, rows read, rows and files written.

5,000 predictions and as many outcomes a day, a window of a day, on a lake of this machine; a history of 3, 30 and 300
days, compacted as the upkeep leaves it. Beside it a full rejoin: the same function over every prediction and outcome.

    .venv/bin/python benchmarks/feedback_join.py [--days 3 30 300]
"""

import argparse
import tempfile
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from smallbox.aws.delta_lake import DeltaLake
from smallbox.define import Model, Source, boolean, label, number, text, timestamp
from smallbox.define.log_columns import logged_types
from smallbox.define.project import project_of
from smallbox.feedback.join import JoinTask
from smallbox.labels.join import join_labels
from smallbox.lake.digests import digests
from smallbox.lake.history import history
from smallbox.lake.names import labelled_table, predictions_table, records_table
from smallbox.lake.schemas import prediction_schema, record_schema
from smallbox.ports import Between
from smallbox.registry.store import Registry
from smallbox.times import DAY, HOUR, Micros, format_moment, parse_day

ROWS, START = 5_000, parse_day("2013-01-01")
REQUESTS = Source("requests", "id", "at", {"id": text(), "at": timestamp(), "x": number()}, known_after="0s")
OUTCOMES = Source("outcomes", "id", "at", {"id": text(), "at": timestamp(), "late": boolean()}, known_after="0s")
MODEL = Model(
    "parcel",
    request=REQUESTS,
    inputs=("x",),
    label=label(OUTCOMES, on="id", value="late", within="24h"),
    estimator=lambda _: None,
)
PROJECT = project_of([MODEL], [OUTCOMES])


class Papers:
    """The ``Documents`` port over a dict."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, str], Any] = {}

    def get(self, partition: str, sort: str, within: int | None = None) -> Mapping[str, Any] | None:
        """One document."""
        del within
        return self._held.get((partition, sort))

    def query(self, partition: str, prefix: str = "") -> list[Mapping[str, Any]]:
        """Those of a partition."""
        return [self._held[key] for key in sorted(self._held) if key[0] == partition and key[1].startswith(prefix)]

    def put(self, partition: str, sort: str, document: Mapping[str, Any]) -> None:
        """Write one."""
        self._held[partition, sort] = document

    put_new = put

    def swap(self, partition: str, sort: str, document: Mapping[str, Any], revision: int) -> None:
        """Write one."""
        del revision
        self.put(partition, sort, document)


class Counted(DeltaLake):
    """A lake that counts the rows that it reads and writes."""

    read_rows = written = 0

    def read(self, *arguments: Any, **named: Any) -> pa.Table | None:
        """As the lake; counts."""
        found = super().read(*arguments, **named)
        self.read_rows += 0 if found is None else found.num_rows
        return found

    def replace(self, table: str, rows: pa.Table, between: Between) -> None:
        """As the lake; counts."""
        self.written += rows.num_rows
        super().replace(table, rows, between)


def add_day(lake: DeltaLake, day: int) -> None:
    """The predictions of a day, and their outcomes, up to 20 hours later."""
    random, at = np.random.default_rng(day), START + day * DAY
    asked = at + np.sort(random.integers(0, DAY, ROWS))
    keys = [f"{random.integers(2**60):x}" for _ in range(ROWS)]
    rows: dict[str, Any] = {"id": [f"{day}-{n}" for n in range(ROWS)], "key": keys, "time": asked, "event_time": asked}
    rows |= {"served_at": asked, "version": [0] * ROWS, "arm": ["fallback"] * ROWS, "channel": ["online"] * ROWS}
    rows |= {"score": random.random(ROWS)}
    schema = prediction_schema(logged_types(MODEL))
    columns = {f.name: pa.array(rows[f.name], f.type) if f.name in rows else pa.nulls(ROWS, f.type) for f in schema}
    lake.append(predictions_table(MODEL.name), pa.table(columns, schema=schema))
    known = asked + random.integers(HOUR, 20 * HOUR, ROWS)
    fields = {"id": pa.array(keys), "at": pa.array(known), "late": pa.array(random.random(ROWS) < 0.3)}
    reserved = {"key": keys, "time": known, "known_at": known, "received_at": known}
    lake.append(
        records_table(OUTCOMES),
        pa.table({**reserved, "digest": digests("outcomes", fields), **fields}, schema=record_schema(OUTCOMES)),
    )


def measured(lake: Counted, task: JoinTask, as_of: Micros) -> list[float]:
    """Seconds, rows read, and rows written of one day's join."""
    lake.read_rows, lake.written, begun = 0, 0, time.perf_counter()
    task.run({"model": MODEL.name, "as_of": format_moment(as_of)}, as_of)
    return [time.perf_counter() - begun, lake.read_rows, lake.written]


def rejoined(lake: DeltaLake, as_of: Micros) -> float:
    """Seconds of a join of everything, without the write."""
    begun = time.perf_counter()
    asked, outcomes = lake.read(predictions_table(MODEL.name)), lake.read(records_table(OUTCOMES))
    if asked is not None and outcomes is not None:
        join_labels(MODEL.label, asked.select(["id", "key", "time", "event_time"]), history(outcomes), as_of)
    return time.perf_counter() - begun


def one(days: int) -> None:
    """One row of the table: the median of three days after a history."""
    with tempfile.TemporaryDirectory() as folder:
        lake, metrics = Counted(folder, {}), Papers()
        task = JoinTask(PROJECT, lake, Registry(Papers()), metrics)
        for day in range(days):
            add_day(lake, day)
        task.run({"model": MODEL.name, "as_of": format_moment(START + days * DAY)}, START + days * DAY)
        for table in (predictions_table(MODEL.name), records_table(OUTCOMES), labelled_table(MODEL.name)):
            lake.compact(table)
        seen = []
        for day in range(days, days + 3):
            add_day(lake, day)
            seen.append(measured(lake, task, START + (day + 1) * DAY))
        seconds, read, written = np.median(seen, axis=0)
        full = rejoined(lake, START + (days + 3) * DAY)
    print(f"| {days} | {days * ROWS:,} | {seconds:.2f} | {read:,.0f} | {written:,.0f} | {full:.2f} |", flush=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, nargs="+", default=[3, 30, 300])
    print("| days | predictions | join, s | rows read | rows written | full rejoin, s |")
    print("|---|---|---|---|---|---|")
    for days in parser.parse_args().days:
        one(days)


if __name__ == "__main__":
    main()
