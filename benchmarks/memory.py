"""How much memory the steps over the whole lake need, and for how many rows 3 GB are enough.

Run: ``python benchmarks/memory.py [rows ...]``. Each step runs in a fresh process on Delta tables of this machine, and
its peak of resident memory is read afterwards. The slope is that between the least and the most rows. Rows mean:

- dataset: requests in the training window, half a year; each has an outcome, and each hundredth was corrected.
- history: requests ever received; a tenth of them is in the training window.
- join: predictions whose attribution windows are open, a week.
- check: predictions of the week that is checked; those of the newest settled day are labelled, as a join left them.
- rebuild: records within the windows of the views, a week; every state of the source is rebuilt.

Every prediction and request has a record, an outcome, and the features of a customer (one for twenty rows) and of one
of a hundred shops. Documents and states are in dictionaries; those of the rebuild are dropped as they are written.
"""

import dataclasses
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from smallbox.aws.delta_lake import DeltaLake
from smallbox.define import FeatureView, Model, Source, boolean, count, label, mean, number, text, timestamp
from smallbox.define.frozen import freeze, signature_digest
from smallbox.define.log_columns import logged_types
from smallbox.define.project import project_of
from smallbox.define.rules import Retrain
from smallbox.features.online.rebuilder import Rebuilder
from smallbox.features.online.states import version_of
from smallbox.feedback.join import JoinTask
from smallbox.lake.digests import digests
from smallbox.lake.names import predictions_table, records_table
from smallbox.lake.predictions import logged_table
from smallbox.lake.schemas import record_schema
from smallbox.monitoring.check import CheckTask
from smallbox.registry.routing import first_champion
from smallbox.registry.signatures import Signatures
from smallbox.registry.store import Registry
from smallbox.registry.version import Version
from smallbox.times import DAY, HOUR, Micros, format_moment, parse_day
from smallbox.training.dataset import DatasetTask
from smallbox.training.profile import profile

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.folder_blobs import FolderBlobs
from benchmarks.memory_ports import Marked, NoMeter, NoNotices, Papers

FUNCTION_MB: Final = 3008
NOW: Final = parse_day("2013-07-01")
WRITTEN: Final = 250_000
"""Rows in one commit of the lake."""

ORDERS = Source(
    "orders",
    "order",
    "at",
    {"order": text(), "at": timestamp(), "customer": text(), "shop": text(), "amount": number()},
    known_after="0s",
)
RETURNS = Source(
    "returns", "order", "at", {"order": text(), "at": timestamp(), "returned": boolean()}, known_after="0s"
)
FEATURES = {"orders_24h": count("24h"), "amount_7d": mean("amount", "7d")}
CUSTOMER, SHOP = (
    FeatureView(name, name, ORDERS, {f"{name}_{feature}": how for feature, how in FEATURES.items()})
    for name in ("customer", "shop")
)
MODEL = Model(
    "returned",
    request=ORDERS,
    inputs=("amount", "shop"),
    views=(CUSTOMER, SHOP),
    label=label(RETURNS, on="order", value="returned", within="7d"),
    estimator=print,
    retrain=Retrain(window="365d", validation="14d"),
)
PROJECT = project_of([MODEL], [RETURNS])


def records(source: Source, keys: pa.Array, at: Any, fields: Mapping[str, Any]) -> pa.Table:
    """Records that are known at their event time."""
    fields = {source.key: keys, source.time: pa.array(at), **fields}
    columns = {name: fields[name] for name in source.fields}
    own = {"key": keys, "time": at, "known_at": at, "received_at": at, "digest": digests(source.name, columns)}
    return pa.table({**own, **columns}, schema=record_schema(source))


def write(folder: Path, rows: int, span: Micros, end: Micros) -> None:
    """Orders over a span of time, in order of time, with their outcomes and predictions."""
    lake, random = DeltaLake(str(folder), options={}), np.random.default_rng(rows)
    for first in range(0, rows, WRITTEN):
        numbers = np.arange(first, min(first + WRITTEN, rows))
        at = end - span + numbers * (span // rows)
        keys = pa.array([f"order {number:09}" for number in numbers])
        fields = {
            "customer": pa.array([f"customer {n}" for n in random.integers(0, max(rows // 20, 1), len(numbers))]),
            "shop": pa.array([f"shop {n}" for n in random.integers(0, 100, len(numbers))]),
            "amount": pa.array(random.normal(size=len(numbers))),
        }
        orders = records(ORDERS, keys, at, fields)
        lake.append(records_table(ORDERS), pa.concat_tables([orders, corrected(orders)]))
        known = np.minimum(at + random.integers(HOUR, 6 * DAY, len(numbers)), end)
        outcome = {"returned": pa.array(random.random(len(numbers)) < 0.1)}
        lake.append(records_table(RETURNS), records(RETURNS, keys, known, outcome))
        lake.append(predictions_table(MODEL.name), predictions(orders, random))


def corrected(orders: pa.Table) -> pa.Table:
    """A correction of every hundredth order, an hour later."""
    some = orders.take(pa.array(np.arange(0, len(orders), 100)))
    fields = {name: some[name].combine_chunks() for name in ("customer", "shop")}
    amount = pa.array(some["amount"].to_numpy() + 1)
    again = records(ORDERS, some["key"].combine_chunks(), some["time"].to_numpy(), {**fields, "amount": amount})
    return again.set_column(2, "known_at", pa.array(some["known_at"].to_numpy() + HOUR))


def predictions(orders: pa.Table, random: np.random.Generator) -> pa.Table:
    """A prediction for each order, asked at its event time."""
    rows = len(orders)
    columns: dict[str, Any] = {
        "id": pa.array([f"{number:032x}" for number in random.integers(0, 2**62, rows)]),
        **dict.fromkeys(("time", "event_time", "served_at"), orders["time"]),
        **{name: orders[name] for name in ("key", "amount", "shop")},
        **{f"entity_{name}": orders[name] for name in ("customer", "shop")},
        **{name: random.normal(size=rows) for view in MODEL.views for name in view.features},
        "version": np.ones(rows, np.int64),
        "arm": ["champion"] * rows,
        "channel": ["online"] * rows,
        "missing": pa.array([[]] * rows, pa.list_(pa.string())),
        "score": random.random(rows),
    }
    arrays = {name: one.combine_chunks() if isinstance(one, pa.ChunkedArray) else one for name, one in columns.items()}
    return logged_table(logged_types(MODEL), arrays)


def registry_of(files: FolderBlobs) -> Registry:
    """A registry with a champion, whose profile has bins of every column."""
    registry, digest = Registry(Papers()), signature_digest(MODEL)
    columns = MODEL.columns
    random = np.random.default_rng(1)
    numbers = {name: random.normal(size=1_000).astype(np.float32) for name in (*columns.numeric, "score")}
    texts = {name: np.array([f"shop {n % 100}" for n in range(1_000)], dtype=object) for name in columns.categorical}
    files.put("profile", json.dumps(profile(columns, ["score"], {**numbers, **texts})).encode())
    known: dict[str, Any] = {
        "model": MODEL.name,
        "number": 0,
        "status": "registered",
        "profile_key": "profile",
        "columns": list(columns.names),
        "signature": digest,
        "views": {view.name: version_of(view) for view in MODEL.views},
        "baseline": {"outputs": [0.5], "loss": 0.7, "difference": {"value": -0.1, "low": -0.2, "high": -0.05}},
        "data_versions": {},
        "dependencies": {},
        "metrics": {},
        "parity": {},
    }
    without = (f.name for f in dataclasses.fields(Version) if f.default is dataclasses.MISSING)
    blank = {name: "" for name in without if name not in known}
    registry.freeze(MODEL.name, digest, freeze(MODEL))
    number = registry.add(Version(**{**blank, **known})).number
    registry.route(MODEL.name, first_champion(number, 0))
    return registry


def dataset(lake: DeltaLake, files: FolderBlobs) -> None:
    """The dataset of a training run."""
    registry = Registry(Papers())
    task = DatasetTask(PROJECT, lake, files, registry, Signatures(PROJECT, registry, files))
    print(json.dumps(task.run({"model": MODEL.name}, NOW)["counts"]), file=sys.stderr)


def join(lake: DeltaLake, files: FolderBlobs) -> None:
    """The daily label join."""
    found = JoinTask(PROJECT, lake, registry_of(files), Papers()).run({"model": MODEL.name}, NOW)
    print(json.dumps(found["feedback"]), file=sys.stderr)


def check(lake: DeltaLake, files: FolderBlobs) -> None:
    """The daily check."""
    registry = registry_of(files)
    signatures = Signatures(PROJECT, registry, files)
    task = CheckTask(PROJECT, lake, files, registry, signatures, Papers(), NoMeter(), NoNotices(), online=Marked())
    done = task.run({"model": MODEL.name, "as_of": format_moment(NOW)})
    print(json.dumps(done["breaches"]), file=sys.stderr)


def rebuild(lake: DeltaLake, files: FolderBlobs) -> None:
    """A rebuild of all states of a source."""
    del files
    found = Rebuilder(ORDERS, MODEL.views, lake, Marked(), lambda _: None).materialize(NOW)
    print(found.states, file=sys.stderr)


STEPS: Final[Mapping[str, tuple[Callable[[DeltaLake, FolderBlobs], None], Micros]]] = {
    "dataset": (dataset, 180 * DAY),
    "history": (dataset, 3_650 * DAY),
    "join": (join, 7 * DAY),
    "check": (check, 7 * DAY),
    "rebuild": (rebuild, 7 * DAY),
}
"""Each step, and the time that its rows span."""


def prepare(name: str, rows: int, folder: Path) -> None:
    """Write what a step reads."""
    step, span = STEPS[name]
    if step is not check:
        write(folder, rows, span, NOW - 8 * DAY if step is dataset else NOW)
        return
    write(folder, rows * 15 // 7, 15 * DAY, NOW)
    join(DeltaLake(str(folder), options={}), FolderBlobs(folder))


def run_alone(name: str, folder: Path) -> None:
    """Run a step in this process, and print seconds and megabytes."""
    began = time.perf_counter()
    STEPS[name][0](DeltaLake(str(folder), options={}), FolderBlobs(folder))
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps([seconds, peak]))


def measured(name: str, rows: int) -> tuple[float, float]:
    """Seconds and megabytes of a step in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, __file__, "write", name, str(rows), folder], check=True)  # noqa: S603
        command = [sys.executable, __file__, "run", name, folder]
        done = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)  # noqa: S603
        return tuple(json.loads(done.stdout)) if not done.returncode else (float("nan"), float("nan"))


def lines(names: Sequence[str], sizes: Sequence[int]) -> Iterator[str]:
    """The lines of the table."""
    yield f"| step | {' | '.join(f'MB of {rows:,} (seconds)' for rows in sizes)} | bytes a row | rows in 3 GB |"
    yield "|---" * (len(sizes) + 3) + "|"
    for name in names:
        found = [measured(name, rows) for rows in sizes]
        slope = (found[-1][1] - found[0][1]) / (sizes[-1] - sizes[0]) if len(sizes) > 1 else float("nan")
        most = sizes[0] / 1e6 + (FUNCTION_MB - found[0][1]) / (slope * 1e6)
        cells = " | ".join(f"{peak:.0f} ({seconds:.0f})" for seconds, peak in found)
        most = sizes[0] / 1e6 + (FUNCTION_MB - found[0][1]) / (slope * 1e6)
        yield f"| {name} | {cells} | {slope * 1024**2:,.0f} | {most:.1f} million |"


def main(arguments: Sequence[str]) -> None:
    """Measure, or run one step for the measuring process."""
    if arguments[:1] == ["write"]:
        prepare(arguments[1], int(arguments[2]), Path(arguments[3]))
    elif arguments[:1] == ["run"]:
        run_alone(arguments[1], Path(arguments[2]))
    else:
        named = [word for word in arguments if word in STEPS]
        sizes = [int(word) for word in arguments if word not in STEPS]
        for line in lines(named or list(STEPS), sizes or [100_000, 300_000, 1_000_000]):
            print(line, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
