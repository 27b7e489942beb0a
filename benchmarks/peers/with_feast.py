"""Feast's ``get_historical_features`` with its DuckDB offline store.

Feast has no windows: it joins rows of features that something else computed. It is given the running count and sum
after each event, computed before the clock starts, and joins them as of the four edges of each question's windows;
the differences are the answers. Its join pairs a question with all earlier rows of the entity before it keeps the
newest, which grows with questions times events: so it gets the first 200 questions only. Its default store, on dask,
pairs them all in memory.
"""

from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig
from feast.types import Int64
from feast.value_type import ValueType

from benchmarks.peers.work import ENTITIES, Floats, answers, edges

QUESTIONS = 200
_REFERENCES = [f"{name}:{name}_{kind}" for name in ENTITIES for kind in ("count", "sum")]


def load(folder: Path) -> Any:
    """A store of two feature views of running values in Parquet files, and the questions."""
    events = pd.read_parquet(folder / "events.parquet", columns=["time", "ok", *ENTITIES])
    config = RepoConfig(
        project="peers",
        provider="local",
        registry=str(folder / "registry.db"),
        offline_store={"type": "duckdb"},
        online_store={"type": "sqlite", "path": str(folder / "online.db")},
        entity_key_serialization_version=3,
    )
    store = FeatureStore(config=config)
    store.apply([part for name in ENTITIES for part in _view(events, name, folder)])
    return store, pd.read_parquet(folder / "questions.parquet").head(QUESTIONS)


def _view(events: pd.DataFrame, name: str, folder: Path) -> list[Any]:
    grouped = events.groupby(name)
    running = events[[name]].assign(at=pd.to_datetime(events["time"], unit="us", utc=True))
    running[f"{name}_count"] = grouped.cumcount() + 1
    running[f"{name}_sum"] = grouped["ok"].cumsum().astype(np.int64)
    path = folder / f"{name}.parquet"
    running.to_parquet(path, index=False)
    entity = Entity(name=name, join_keys=[name], value_type=ValueType.STRING)
    schema = [Field(name=f"{name}_{kind}", dtype=Int64) for kind in ("count", "sum")]
    source = FileSource(path=str(path), timestamp_field="at")
    return [entity, FeatureView(name=name, entities=[entity], schema=schema, source=source, ttl=timedelta(days=400))]


def run(given: Any) -> Floats:
    """The answers."""
    store, questions = given
    end, starts = edges(questions["as_of"].to_numpy())
    # a row counts up to and with its moment, a window ends before its edge
    moments = np.concatenate((end, *starts)) - 1
    asked = pd.concat([questions[[*ENTITIES]]] * (len(starts) + 1), ignore_index=True)
    asked = asked.assign(event_timestamp=pd.to_datetime(moments, unit="us").tz_localize(UTC), number=range(len(asked)))
    joined = store.get_historical_features(entity_df=asked, features=_REFERENCES).to_df().sort_values("number")
    return np.hstack([_entity(joined, name, len(questions)) for name in ENTITIES])


def _entity(joined: pd.DataFrame, name: str, questions: int) -> Floats:
    counts, sums = (
        joined[f"{name}_{kind}"].fillna(0).to_numpy().astype(np.int64).reshape(-1, questions)
        for kind in ("count", "sum")
    )
    return answers([counts[0] - begin for begin in counts[1:]], [sums[0] - begin for begin in sums[1:]])
