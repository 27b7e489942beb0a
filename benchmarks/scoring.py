"""How many rows of a file are scored in a second of a processor, beside a bare loop of pyarrow and onnxruntime.

``python benchmarks/scoring.py`` scores files of 200,000 and 1,000,000 rows; ``--rows 10000000 --only plain`` a larger
one of one kind. The model has 100 trees of 8 leaves, 20 numbers and 2 texts; with windows also 2 entities with 6
features each. The bare loop reads the file, runs the model on one thread, and writes a Parquet file with every column
of the prediction log; it checks nothing. Ours cuts the file, validates the rows, appends to the log, a Delta table,
and writes the predictions too. Each run has a process of its own, whose peak memory is told.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime as ort
import pyarrow as pa
import pyarrow.parquet as pq
from drops import FolderBlobs  # type: ignore[import-not-found]  # scripts beside this one
from scored_orders import (  # type: ignore[import-not-found]
    NUMBERS,
    RETURNS,
    START,
    TEXTS,
    model_of_kind,
    orders,
    write_history,
    write_orders,
)

from smallbox.aws.delta_lake import DeltaLake
from smallbox.define import Model
from smallbox.define.log_columns import logged_types
from smallbox.define.project import project_of
from smallbox.lake.schemas import prediction_schema
from smallbox.registry.loader import LoadedVersion, ModelLoader
from smallbox.registry.routing import Routing
from smallbox.registry.scorer import Scorer
from smallbox.serving.score import ScoreTask

AT_ONCE: Final = 1_024


def fitted(model: Model) -> bytes:
    """The model, fitted on noise and exported."""
    from smallbox.training.estimators import build_pipelines  # noqa: PLC0415 - only in the process that fits
    from smallbox.training.examples import frame  # noqa: PLC0415
    from smallbox.training.export import to_onnx  # noqa: PLC0415

    random, rows = np.random.default_rng(1), 20_000
    sent = orders(0, rows)
    columns = {name: pa.array(random.exponential(5, rows)) for name in model.columns.numeric}
    columns |= {name: sent[name] for name in (*NUMBERS, *TEXTS)}
    labels = sent["x0"].fill_null(0).to_numpy() + random.normal(size=rows) > 0
    (pipeline,) = build_pipelines(model)
    pipeline.fit(frame(model.columns, pa.table(columns)), labels)
    return to_onnx([pipeline], model.columns, model.objective)


class _Loader(ModelLoader):
    """One version, given."""

    def __init__(self, model: Model, content: bytes) -> None:
        self._version = LoadedVersion(1, model, Scorer(content))

    def routing(self, model: str, within: int | None = None) -> Routing:
        del model, within
        return Routing(1)

    def version(self, model: str, number: int) -> LoadedVersion:
        del model, number
        return self._version


class _Steps:
    """The ``Workflow`` port: keeps the document of the execution."""

    document: Mapping[str, Any] | None = None

    def start(self, name: str, document: Mapping[str, Any]) -> str:
        """Keep it."""
        self.document = document
        return name


def ours(folder: Path, kind: str) -> dict[str, Any]:
    """Score the file as one warm worker after the other would: seconds of the processor by step."""
    model, machine = model_of_kind(kind), _Steps()
    lake, inbox = DeltaLake(str(folder / "lake"), options={}), FolderBlobs(folder / "inbox")
    loader = _Loader(model, (folder / "model.onnx").read_bytes())
    task = ScoreTask(project_of([model], [RETURNS]), lake, loader, inbox, machine)
    task.take("score/returned/in/first.parquet")
    begun = time.process_time()
    task.take("score/returned/in/all.parquet")
    cut = time.process_time()
    if machine.document is not None:
        for part in machine.document["parts"]:
            task.run("part", part, 0)
        task.run("finish", machine.document, 0)
    report = json.loads(inbox.get("score/returned/out/all.parquet/report.json"))
    is_cut = machine.document is not None
    used = time.process_time() - begun
    return {"used": used, "cut": cut - begun if is_cut else 0.0, **{n: report[n] for n in ("scored", "parts")}}


def bare(folder: Path, kind: str) -> dict[str, Any]:
    """Read, run the model, write every column of the log: no checks."""
    model = model_of_kind(kind)
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = ort.InferenceSession((folder / "model.onnx").read_bytes(), options)
    schema = prediction_schema(logged_types(model))
    scored = 0
    for name in ("first", "all"):
        begun, scored = time.process_time(), 0
        file = folder / "inbox" / f"score/returned/in/{name}.parquet"
        with pq.ParquetWriter(folder / f"{name}.parquet", schema) as writer:
            for batch in pq.ParquetFile(file).iter_batches(AT_ONCE):
                numeric = np.empty((len(batch), len(NUMBERS)), np.float32)
                for at, column in enumerate(NUMBERS):
                    numeric[:, at] = batch[column].to_numpy(zero_copy_only=False)
                texts = np.empty((len(batch), len(TEXTS)), object)
                for at, column in enumerate(TEXTS):
                    texts[:, at] = batch[column].to_numpy(zero_copy_only=False)
                outputs = session.run(None, {"numeric": numeric, "categorical": texts})[0]
                writer.write_table(_row_group(schema, batch, outputs, f"{file}@tag", scored))
                scored += len(batch)
    return {"used": time.process_time() - begun, "cut": 0.0, "scored": scored, "parts": 1}


def _row_group(schema: pa.Schema, batch: pa.RecordBatch, outputs: Any, name: str, first: int) -> pa.Table:
    rows = len(batch)
    at = batch["ordered_at"].cast(pa.int64())
    made = {
        "id": pa.array([f"{name}-{n}" for n in range(first, first + rows)]),
        "key": batch["order_id"],
        "time": at,
        "event_time": at,
        "served_at": pa.array(np.full(rows, START, np.int64)),
        "version": pa.array(np.ones(rows, np.int64)),
        "arm": pa.repeat("champion", rows),
        "channel": pa.repeat("batch", rows),
        "missing": pa.array([[]] * rows, pa.list_(pa.string())),
        "score": pa.array(outputs[:, 0].astype(float)),
    }
    columns = {field.name: made.get(field.name) if field.name in made else batch[field.name] for field in schema}
    return pa.table(columns, schema=schema)


RUNS: Final = {"ours": ours, "bare": bare}


def measure(folder: Path, run: str, kind: str) -> dict[str, Any]:
    """A run in a process of its own."""
    command = [sys.executable, __file__, "--run", run, str(folder), kind]
    found: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)  # noqa: S603 ourselves
    return found


def compare(kind: str, rows: int) -> None:
    """Print the lines of one kind."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "model.onnx").write_bytes(fitted(model_of_kind(kind)))
        write_history(DeltaLake(str(folder / "lake"), options={}))
        for file, size in (("first", 1), ("all", rows)):
            write_orders(folder / "inbox" / f"score/returned/in/{file}.parquet", size)
        found = {run: measure(folder, run, kind) for run in (RUNS if kind == "plain" else ("ours",))}
    speed = {run: one["scored"] / one["used"] for run, one in found.items()}
    for run, one in found.items():
        ratio = f"{speed[run] / speed['bare']:.2f}" if "bare" in speed else ""
        print(
            f"| {kind} | {run} | {ratio} | {speed[run]:,.0f} | {one['scored']:,} | {one['parts']} | {one['cut']:.1f} "
            f"| {one['peak']:.0f} |",
            flush=True,
        )


def _peak() -> float:
    """Peak memory of this process in MiB; ``getrusage`` would tell that of its parent if that is larger."""
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1024


def main() -> None:
    """Print the table, or do the one run that a parent process names."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rows", type=int, nargs="+", default=[200_000, 1_000_000])
    arguments.add_argument("--only", choices=("plain", "windows"))
    arguments.add_argument("--run", nargs=3, help=argparse.SUPPRESS)
    chosen = arguments.parse_args()
    if chosen.run:
        run, folder, kind = chosen.run
        found = RUNS[run](Path(folder), kind)
        print(json.dumps({**found, "peak": _peak()}))
        return
    print("| model | | ratio | rows per processor second | rows | parts | cut, s | peak memory, MiB |")
    print("|---|---|---|---|---|---|---|---|")
    for kind in [chosen.only] if chosen.only else ["plain", "windows"]:
        for rows in chosen.rows:
            compare(kind, rows)


if __name__ == "__main__":
    main()
