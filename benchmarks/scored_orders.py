"""The model and the data of ``scoring.py``: orders of 20 numbers and 2 texts, and the returns that windows count."""

from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from smallbox.aws.delta_lake import DeltaLake
from smallbox.define import (
    Columns,
    FeatureView,
    Model,
    Source,
    boolean,
    count,
    label,
    mean,
    number,
    prepare,
    text,
    timestamp,
)
from smallbox.lake.digests import digests
from smallbox.lake.names import records_table
from smallbox.lake.schemas import record_schema
from smallbox.times import DAY, SECOND, parse_day

NUMBERS: Final = [f"x{n}" for n in range(20)]
TEXTS: Final = ("shop", "country")
SHOPS: Final = [f"shop{n}" for n in range(500)]
COUNTRIES: Final = [f"country{n}" for n in range(50)]
START: Final = parse_day("2024-01-01")
CHUNK: Final = 100_000
HISTORY: Final = 300_000

ORDERS: Final = Source(
    "orders",
    "order_id",
    "ordered_at",
    {"order_id": text(), "ordered_at": timestamp(), "shop": text(), "country": text()}
    | {name: number(nullable=True) for name in NUMBERS},
    known_after="0s",
)
RETURNS: Final = Source(
    "returns",
    "order_id",
    "returned_at",
    {"order_id": text(), "returned_at": timestamp(), "shop": text(), "country": text(), "amount": number()}
    | {"returned": boolean()},
    known_after="0s",
)


def _features(view: str) -> dict[str, Any]:
    lengths = ("1h", "24h", "7d")
    counts = {f"{view}_count_{length}": count(length) for length in lengths}
    return counts | {f"{view}_mean_{length}": mean("amount", length) for length in lengths}


VIEWS: Final = tuple(FeatureView(f"of_{name}", name, RETURNS, _features(name)) for name in TEXTS)


def build_trees(columns: Columns) -> Any:
    """100 trees of 8 leaves."""
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415 - only where a model is fitted
    from sklearn.pipeline import Pipeline  # noqa: PLC0415

    trees = HistGradientBoostingClassifier(max_iter=100, max_leaf_nodes=8, random_state=0)
    return Pipeline([("prepare", prepare(columns)), ("trees", trees)])


def model_of_kind(kind: str) -> Model:
    """The model, with windows or without stored features."""
    return Model(
        "returned",
        request=ORDERS,
        inputs=(*NUMBERS, *TEXTS),
        label=label(RETURNS, on="order_id", value="returned", within="7d"),
        views=VIEWS if kind == "windows" else (),
        estimator=build_trees,
    )


def orders(first: int, rows: int) -> pa.Table:
    """Requests from that one on, one a second."""
    random = np.random.default_rng(first)
    times = START + 30 * DAY + np.arange(first, first + rows) % (300 * DAY // SECOND) * SECOND
    columns = {
        "order_id": pa.array([f"order-{n}" for n in range(first, first + rows)]),
        "ordered_at": pa.array(times).cast(pa.timestamp("us", "UTC")),
        "shop": pa.array(SHOPS).take(pa.array(random.integers(0, len(SHOPS), rows))),
        "country": pa.array(COUNTRIES).take(pa.array(random.integers(0, len(COUNTRIES), rows))),
    }
    for name in NUMBERS:
        values = random.normal(size=rows).astype(np.float32).astype(float)
        columns[name] = pa.array(values, mask=random.random(rows) < 0.02)
    return pa.table(columns)


def write_orders(file: Path, rows: int) -> None:
    """A Parquet file of requests."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with pq.ParquetWriter(file, orders(0, 1).schema) as writer:
        for first in range(0, rows, CHUNK):
            writer.write_table(orders(first, min(CHUNK, rows - first)))


def write_history(lake: DeltaLake) -> None:
    """The records that the windows count."""
    random = np.random.default_rng(0)
    time_ = np.sort(random.integers(START, START + 60 * DAY, HISTORY))
    ids = pa.array([f"old-{n}" for n in range(HISTORY)])
    fields = {
        "order_id": ids,
        "returned_at": pa.array(time_),
        "shop": pa.array(SHOPS).take(pa.array(random.integers(0, len(SHOPS), HISTORY))),
        "country": pa.array(COUNTRIES).take(pa.array(random.integers(0, len(COUNTRIES), HISTORY))),
        "amount": pa.array(np.round(random.exponential(50, HISTORY), 2)),
        "returned": pa.array(random.random(HISTORY) < 0.1),
    }
    known = pa.array(time_)
    rows = pa.table(
        [ids, known, known, known, digests(RETURNS.name, fields), *fields.values()], schema=record_schema(RETURNS)
    )
    lake.append(records_table(RETURNS), rows)
