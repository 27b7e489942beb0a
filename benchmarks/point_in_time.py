"""Point-in-time features of 2 million events for 200 thousand questions: Smallbox beside numpy and pandas.

Run: ``python benchmarks/point_in_time.py [events] [questions]``. Ratios come first: 1.0 is Smallbox. The bare numpy
version knows neither corrections nor late knowledge; it shows what exactness costs. pandas rolls sums per entity
and joins them to the questions as of their moment; its windows end at the question, not at a tile. All start from
columns in memory, Smallbox from a table as the lake gives it, versions and all.
"""

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from smallbox.define import FeatureView, Source, boolean, count, rate, text, timestamp
from smallbox.features.offline import point_in_time
from smallbox.times import DAY, HOUR, parse_day

WINDOWS = {"1h": HOUR, "24h": DAY, "7d": 7 * DAY}
ENTITIES = 400
REPEATS = 3

source = Source(
    "events",
    key="id",
    time="at",
    known_after="0s",
    fields={"id": text(), "at": timestamp(), "who": text(), "ok": boolean()},
)
view = FeatureView(
    "who",
    "who",
    source,
    {f"count_{w}": count(w) for w in WINDOWS} | {f"rate_{w}": rate("ok", w) for w in WINDOWS},
)


def make(events: int, questions: int) -> tuple[pa.Table, list[str], np.ndarray[Any, Any]]:
    """A year of events in order of arrival, and questions about them."""
    rng = np.random.default_rng(7)
    start = parse_day("2013-01-01")
    at = np.sort(rng.integers(start, start + 365 * DAY, events))
    names = np.array([f"entity {n}" for n in range(ENTITIES)])
    columns = {
        "key": np.char.mod("%d", np.arange(events)),
        "time": at,
        "known_at": at,
        "received_at": at,
        "digest": np.char.mod("%032x", np.arange(events)),
        "who": names[rng.integers(0, ENTITIES, events)],
        "ok": rng.random(events) < 0.2,
    }
    asked = names[rng.integers(0, ENTITIES, questions)].tolist()
    return pa.table(columns), asked, rng.integers(start, start + 365 * DAY, questions)


def bare_numpy(table: pa.Table, asked: list[str], as_of: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Running sums and binary search; every event known at once and never corrected."""
    encoded = table["who"].combine_chunks().dictionary_encode()
    place = {name: n for n, name in enumerate(encoded.dictionary.to_pylist())}
    code, at = np.asarray(encoded.indices).astype(np.uint16), table["time"].to_numpy()
    order = np.argsort(code, kind="stable")
    span = 1 << 46
    first = at.min()
    keys = code[order].astype(np.int64) * span + (at[order] - first)
    sums = np.concatenate(([0], np.cumsum(table["ok"].to_numpy()[order])))
    who = np.array([place[name] for name in asked])
    end = as_of // view.tile_micros * view.tile_micros
    last = np.searchsorted(keys, who * span + np.clip(end - first, 0, span - 1))
    out = []
    for name, length in WINDOWS.items():
        size = view.tile_size(view.features[f"count_{name}"])
        start = end // size * size - length
        begin = np.searchsorted(keys, who * span + np.clip(start - first, 0, span - 1))
        out.append((last - begin, (sums[last] - sums[begin]) / np.maximum(last - begin, 1)))
    return np.stack([n for n, _ in out] + [np.where(n > 0, r, np.nan) for n, r in out], axis=1)


def with_pandas(table: pa.Table, asked: list[str], as_of: np.ndarray[Any, Any]) -> pd.DataFrame:
    """Rolling sums per entity, joined as of the questions."""
    frame = pd.DataFrame({"who": table["who"].to_pandas(), "ok": table["ok"].to_numpy().astype(float)})
    frame["at"] = pd.to_datetime(table["time"].to_numpy(), unit="us")
    questions = pd.DataFrame({"who": asked, "at": pd.to_datetime(as_of, unit="us")}).sort_values("at")
    # a zero-valued row per question makes the rolling sums answer at its moment
    marks = questions.assign(ok=np.nan, one=0.0)
    both = pd.concat([frame.assign(one=1.0), marks]).sort_values("at", kind="stable").set_index("at")
    grouped = both.fillna({"ok": 0.0}).groupby("who")[["one", "ok"]]
    rolled = [
        grouped.rolling(pd.Timedelta(length, unit="us")).sum().add_suffix(name) for name, length in WINDOWS.items()
    ]
    wide = pd.concat(rolled, axis=1).reset_index().sort_values("at")
    last = wide.drop_duplicates(["who", "at"], keep="last")
    return pd.merge_asof(questions, last, on="at", by="who")


def best_of(work: Callable[[], object]) -> float:
    """Seconds of the fastest of a few runs."""
    times = []
    for _ in range(REPEATS):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return min(times)


def corrected(table: pa.Table) -> pa.Table:
    """The same table with a correction of every hundredth event an hour later."""
    some = table.take(pa.array(np.arange(0, len(table), 100)))
    later = some.set_column(
        some.column_names.index("known_at"), "known_at", pa.array(some["known_at"].to_numpy() + HOUR)
    )
    other = pa.array(np.char.mod("f%031x", np.arange(len(some))).tolist(), table.schema.field("digest").type)
    return pa.concat_tables([table, later.set_column(later.column_names.index("digest"), "digest", other)])


def main(events: int, questions: int) -> None:
    """Print the table, after checking that ours equals the bare version where both apply."""
    table, asked, as_of = make(events, questions)
    np.testing.assert_array_equal(point_in_time(view, table, asked, as_of), bare_numpy(table, asked, as_of))
    history = corrected(table)
    seconds = {
        "smallbox": best_of(lambda: point_in_time(view, table, asked, as_of)),
        "smallbox, 1 % corrected": best_of(lambda: point_in_time(view, history, asked, as_of)),
        "bare numpy": best_of(lambda: bare_numpy(table, asked, as_of)),
        "pandas": best_of(lambda: with_pandas(table, asked, as_of)),
    }
    print(f"{events:,} events, {questions:,} questions, count and rate over {', '.join(WINDOWS)}\n")
    print("| engine | ratio | seconds |\n|---|---|---|")
    for name, taken in seconds.items():
        print(f"| {name} | {taken / seconds['smallbox']:.2f} | {taken:.2f} |")


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    main(*(given or [2_000_000, 200_000]))
