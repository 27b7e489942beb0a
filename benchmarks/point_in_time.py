"""Point-in-time features of 2 million events for 200 thousand questions: Smallbox beside its peers.

Run: ``python benchmarks/point_in_time.py [events] [questions]``. Count and rate over three windows for two entities:
twelve features. Every engine runs in a process of its own, three times, on the same Parquet files, which it has loaded
before the clock starts; the ratio is that of the best runs to bare numpy's. All are given the same edges of windows
and must give the same values: counts equal, rates to 1e-12. An engine that is not installed is left out; `make bench`
installs them all. Feast has no windows: it joins running values that were computed before, for far fewer questions;
see ``peers/with_feast.py``.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.peers.work import DAY, ENTITIES, HOUR, WINDOWS  # noqa: E402 - a program finds its folder first

PEERS = ROOT / ".build/peers"
FEAST = ROOT / ".build/feast/bin/python"
START = 1_356_998_400_000_000
"""2013-01-01."""


def make(folder: Path, events: int, questions: int) -> None:
    """A year of events in order of arrival, also with a correction of every hundredth, and questions about them."""
    random = np.random.default_rng(7)
    time = np.sort(random.integers(START, START + 365 * DAY, events))
    names = {entity: np.array([f"{entity} {n}" for n in range(size)]) for entity, size in ENTITIES.items()}
    columns = {
        "key": np.char.mod("%d", np.arange(events)),
        "time": time,
        "known_at": time,
        "received_at": time,
        "digest": np.char.mod("%032x", np.arange(events)),
        "ok": random.random(events) < 0.2,
    }
    table = pa.table(
        columns | {entity: words[random.integers(0, len(words), events)] for entity, words in names.items()}
    )
    asked = {entity: words[random.integers(0, len(words), questions)] for entity, words in names.items()}
    (folder / "corrected").mkdir()
    pq.write_table(table, folder / "events.parquet")
    pq.write_table(corrected(table), folder / "corrected/events.parquet")
    for place in (folder, folder / "corrected"):
        as_of = np.random.default_rng(8).integers(START, START + 365 * DAY, questions)
        pq.write_table(pa.table({"as_of": as_of, **asked}), place / "questions.parquet")


def corrected(table: pa.Table) -> pa.Table:
    """The same table with a correction of every hundredth event an hour later."""
    some = table.take(pa.array(np.arange(0, len(table), 100)))
    known = pa.array(some["known_at"].to_numpy() + HOUR)
    digests = pa.array(np.char.mod("f%031x", np.arange(len(some))).tolist(), table.schema.field("digest").type)
    for name, values in (("known_at", known), ("digest", digests)):
        some = some.set_column(some.column_names.index(name), name, values)
    return pa.concat_tables([table, some])


def measured(engine: str, folder: Path, python: Path = Path(sys.executable)) -> dict[str, Any] | None:
    """What an engine says of itself; ``None`` when it is not installed."""
    paths = os.pathsep.join([str(ROOT), *([] if python == FEAST else [str(PEERS)])])
    environment = os.environ | {"PYTHONPATH": paths, "POLARS_MAX_THREADS": "2"}
    command = [str(python), "-m", "benchmarks.peers.measure", engine, str(folder)]
    if not python.exists():
        return None
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    if f"No module named '{engine}'" in done.stderr:
        return None
    if done.returncode:
        raise SystemExit(f"{engine}: {done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def compare(engine: str, folder: Path) -> None:
    """Hold an engine's answers against bare numpy's, as many as it gave."""
    theirs = np.load(folder / f"{engine}.npy")
    ours = np.load(folder / "numpy.npy")[: len(theirs)]
    counts = np.tile(np.repeat([True, False], len(WINDOWS)), len(ENTITIES))
    np.testing.assert_array_equal(theirs[:, counts], ours[:, counts], err_msg=engine)
    np.testing.assert_allclose(theirs[:, ~counts], ours[:, ~counts], rtol=0, atol=1e-12, err_msg=engine)


def main(events: int, questions: int) -> None:
    """Print the table; values are compared before."""
    print(f"{events:,} events, {questions:,} questions; count and rate over {', '.join(WINDOWS)}; two entities\n")
    heads = ("engine", "questions", "best seconds", "median", "ratio", "processor seconds", "megabytes")
    print(f"| {' | '.join(heads)} |\n{'|---' * len(heads)}|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder, events, questions)
        yardstick = min((measured("numpy", folder) or {})["seconds"])
        for engine in ("numpy", "smallbox", "pandas", "polars", "duckdb"):
            line(engine, engine, folder, yardstick)
        line("smallbox, 1 % corrected", "smallbox", folder / "corrected", yardstick)
        line("Feast, its join alone", "feast", folder, yardstick, FEAST)


def line(label: str, engine: str, folder: Path, yardstick: float, python: Path = Path(sys.executable)) -> None:
    """Measure one engine and print its line."""
    found = measured(engine, folder, python)
    if found is None:
        print(f"| {label} | not installed | | | | | |")
        return
    if (folder / "numpy.npy").exists():
        compare(engine, folder)
    best, answered = min(found["seconds"]), len(np.load(folder / f"{engine}.npy"))
    middle, ratio = median(found["seconds"]), best / yardstick
    figures = f"{best:.2f} | {middle:.2f} | {ratio:.2f} | {min(found['processor']):.2f} | {found['megabytes']:.0f}"
    print(f"| {label} | {answered:,} | {figures} |", flush=True)


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    main(*(given or [2_000_000, 200_000]))
