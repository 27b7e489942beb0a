"""Smallbox's batch engine as training calls it: two views of one source, from a table as the lake gives it.

Versions are put in order once for the source; that is within the measured time.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from benchmarks.peers.work import ENTITIES, WINDOWS, Floats
from smallbox.define import FeatureView, Source, boolean, count, rate, text, timestamp
from smallbox.features.windows.batch import point_in_time
from smallbox.lake.history import history

source = Source(
    "events",
    key="id",
    time="at",
    known_after="0s",
    fields={"id": text(), "at": timestamp(), **{name: text() for name in ENTITIES}, "ok": boolean()},
)
views = [
    FeatureView(
        name,
        name,
        source,
        {f"{name}_count_{w}": count(w) for w in WINDOWS} | {f"{name}_rate_{w}": rate("ok", w) for w in WINDOWS},
    )
    for name in ENTITIES
]


def load(folder: Path) -> Any:
    """The lake's table in memory, and the questions."""
    return pq.read_table(folder / "events.parquet"), pq.read_table(folder / "questions.parquet")


def run(given: Any) -> Floats:
    """The answers."""
    events, questions = given
    as_of, versions = questions["as_of"].to_numpy(), history(events)
    return np.hstack([point_in_time(view, versions, questions[view.name], as_of) for view in views])
