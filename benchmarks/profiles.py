"""What profiles cost: to build where rows are written, to add up a month of hours, and to store.

Run: ``python benchmarks/profiles.py``. Thirty columns, 24 of numbers and 6 of texts. Beside a plain numpy histogram of
the same columns in the same bins (``searchsorted`` and ``bincount``; texts by ``value_counts`` of Arrow), which has no
moments, distinct values or extreme rows. Medians of processor time over
several runs in one process, one thread.
"""

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.profiles.building import build_profile, layout_of_values
from smallbox.profiles.layout import NumericBins, ProfileLayout
from smallbox.profiles.profile import Profile, merged_profiles

NUMBERS, TEXTS = 24, 6
HOURS = 720
RUNS = 9


def rows_of(rng: np.random.Generator, rows: int) -> dict[str, Any]:
    """Columns of a batch."""
    numbers = {f"n{n}": rng.normal(n, 2, rows) for n in range(NUMBERS)}
    texts = [f"category {n}" for n in range(80)]
    return numbers | {f"t{n}": pa.array(rng.choice(texts, rows)) for n in range(TEXTS)}


def median(work: Callable[[], object]) -> float:
    """Processor seconds of a run."""
    found = []
    for _ in range(RUNS):
        begin = time.process_time()
        work()
        found.append(time.process_time() - begin)
    return statistics.median(found)


def histogram(layout: ProfileLayout, values: Mapping[str, Any]) -> None:
    """The near-limit: counts by bin alone."""
    for name, bins in layout.columns.items():
        if isinstance(bins, NumericBins):
            np.bincount(np.searchsorted(bins.edges, values[name], side="right"), minlength=bins.slots)
        else:
            pc.value_counts(values[name])


def main() -> None:
    """Print both tables."""
    rng = np.random.default_rng(0)
    layout = layout_of_values(rows_of(rng, 20_000))
    columns = NUMBERS + TEXTS
    print("| rows a batch | build ms | µs a value | plain histogram, µs a value | ratio | bytes |")
    print("|---" * 6 + "|")
    for rows in (10, 100, 300, 1_000, 10_000, 100_000):
        values, times, keys = rows_of(rng, rows), np.arange(rows), np.arange(rows, dtype=np.uint64)
        ours = median(lambda v=values, t=times, k=keys: build_profile(layout, v, t, k))  # type: ignore[misc]
        plain = median(lambda v=values: histogram(layout, v))  # type: ignore[misc]
        size = len(build_profile(layout, values, times, keys).to_bytes())
        each = rows * columns / 1e6
        print(
            f"| {rows:,} | {ours * 1e3:.1f} | {ours / each:.2f} | {plain / each:.2f} | {ours / plain:.1f} | {size:,} |"
        )
    print("\n| rows an hour | decode ms | add up ms | together, 720 hours x 30 columns | sum of the counts alone, ms |")
    print("|---" * 5 + "|")
    for rows in (30, 300, 3_000):
        stored = [build_profile(layout, rows_of(rng, rows), np.arange(rows)).to_bytes() for _ in range(HOURS)]
        decode = median(lambda s=stored: [Profile.from_bytes(layout, one) for one in s])  # type: ignore[misc]
        hours = [Profile.from_bytes(layout, one) for one in stored]
        merge = median(lambda h=hours: merged_profiles(layout, h))  # type: ignore[misc]
        counts = median(lambda h=hours: np.sum([one.counts for one in h], axis=0))  # type: ignore[misc]
        figures = (decode, merge, decode + merge, counts)
        print(f"| {rows:,} | {' | '.join(f'{one * 1e3:.1f}' for one in figures)} |")


if __name__ == "__main__":
    main()
