"""pandas: running counts and sums by entity, joined as of the edges of the windows with ``merge_asof``.

Faster than ``rolling``, which answers at each event instead of at each question, and for windows that end there.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.peers.work import ENTITIES, Floats, answers, edges


def load(folder: Path) -> Any:
    """Data frames; names of entities are categories, as pandas takes groups fastest."""
    kinds = dict.fromkeys(ENTITIES, "category")
    events = pd.read_parquet(folder / "events.parquet", columns=["time", "ok", *ENTITIES]).astype(kinds)
    questions = pd.read_parquet(folder / "questions.parquet")
    return events, questions.astype({name: events[name].dtype for name in ENTITIES})


def run(given: Any) -> Floats:
    """The answers."""
    events, questions = given
    return np.hstack([_entity(events, questions, name) for name in ENTITIES])


def _entity(events: pd.DataFrame, questions: pd.DataFrame, name: str) -> Floats:
    grouped = events.groupby(name, observed=True)
    running = pd.DataFrame({name: events[name], "time": events["time"], "count": grouped.cumcount() + 1})
    running["sum"] = grouped["ok"].cumsum().astype(np.int64)
    order = np.argsort(questions["as_of"].to_numpy(), kind="stable")
    asked = questions[name].iloc[order].reset_index(drop=True)
    end, starts = edges(questions["as_of"].to_numpy()[order])
    found = []
    for edge in (end, *starts):
        left = pd.DataFrame({name: asked, "time": edge})
        joined = pd.merge_asof(left, running, on="time", by=name, allow_exact_matches=False)
        found.append(joined[["count", "sum"]].fillna(0).to_numpy().astype(np.int64).T)
    out = np.empty((len(order), 6))
    out[order] = answers([found[0][0] - begin[0] for begin in found[1:]], [found[0][1] - b[1] for b in found[1:]])
    return out
