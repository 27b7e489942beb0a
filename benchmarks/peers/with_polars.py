"""polars, on two threads: running counts and sums by entity, joined as of the windows' edges with ``join_asof``."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks.peers.work import ENTITIES, Floats, answers, edges


def load(folder: Path) -> Any:
    """Data frames; names of entities are categories, which polars groups and joins by fastest."""
    kinds = [pl.col(name).cast(pl.Categorical) for name in ENTITIES]
    events = pl.read_parquet(folder / "events.parquet", columns=["time", "ok", *ENTITIES])
    return events.with_columns(kinds), pl.read_parquet(folder / "questions.parquet").with_columns(kinds)


def run(given: Any) -> Floats:
    """The answers."""
    events, questions = given
    return np.hstack([_entity(events, questions, name) for name in ENTITIES])


def _entity(events: Any, questions: Any, name: str) -> Floats:
    running = events.select(
        name,
        "time",
        count=pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over(name),
        sum=pl.col("ok").cast(pl.Int64).cum_sum().over(name),
    ).set_sorted("time")
    order = np.argsort(questions["as_of"].to_numpy(), kind="stable")
    asked = questions[name][order]
    end, starts = edges(questions["as_of"].to_numpy()[order])
    lefts = [pl.DataFrame({name: asked, "time": edge}).set_sorted("time").lazy() for edge in (end, *starts)]
    joins = [
        left.join_asof(running.lazy(), on="time", by=name, allow_exact_matches=False, check_sortedness=False).select(
            pl.col("count").fill_null(0), pl.col("sum").fill_null(0)
        )
        for left in lefts
    ]
    found = [joined.to_numpy().T for joined in pl.collect_all(joins)]
    out = np.empty((len(order), 6))
    out[order] = answers([found[0][0] - begin[0] for begin in found[1:]], [found[0][1] - b[1] for b in found[1:]])
    return out
