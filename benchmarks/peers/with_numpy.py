"""Bare numpy: a radix sort by entity, running sums, binary search. It knows neither corrections nor late knowledge."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from benchmarks.peers.work import ENTITIES, Floats, Ints, answers, edges


def load(folder: Path) -> Any:
    """The columns in memory, as Arrow has them."""
    return pq.read_table(folder / "events.parquet", columns=["time", "ok", *ENTITIES]), pq.read_table(
        folder / "questions.parquet"
    )


def run(given: Any) -> Floats:
    """The answers."""
    events, questions = given
    as_of = questions["as_of"].to_numpy()
    return np.hstack([_entity(events, questions, name, as_of) for name in ENTITIES])


def _entity(events: Any, questions: Any, name: str, as_of: Ints) -> Floats:
    encoded = events[name].combine_chunks().dictionary_encode()
    place = {word: n for n, word in enumerate(encoded.dictionary.to_pylist())}
    code, time = np.asarray(encoded.indices).astype(np.uint16), events["time"].to_numpy()
    order = np.argsort(code, kind="stable")
    span, first = 1 << 46, time.min()
    keys = code[order].astype(np.int64) * span + (time[order] - first)
    sums = np.concatenate(([0], np.cumsum(events["ok"].to_numpy()[order])))
    asked = questions[name].combine_chunks().dictionary_encode()
    base = np.array([place[word] for word in asked.dictionary.to_pylist()])[np.asarray(asked.indices)] * span
    end, starts = edges(as_of)
    last = np.searchsorted(keys, base + np.clip(end - first, 0, span - 1))
    begins = [np.searchsorted(keys, base + np.clip(start - first, 0, span - 1)) for start in starts]
    return answers([last - begin for begin in begins], [sums[last] - sums[begin] for begin in begins])
