"""The work: what is asked of every engine, and where windows end. Imports nothing of Smallbox, for the peers' sake.

The answers are a float64 matrix ``(questions, 12)``: for carrier, then route, the counts over each window, then the
rates, not a number where the count is 0.
"""

import numpy as np
import numpy.typing as npt

HOUR = 3_600_000_000
DAY = 24 * HOUR
TILE = HOUR // 12
WINDOWS = {"1h": (HOUR, TILE), "24h": (DAY, HOUR), "7d": (7 * DAY, HOUR)}
"""By name, the length of each window and the tile on whose edge it starts, in microseconds."""
ENTITIES = {"carrier": 20, "route": 400}
"""How many entities of each kind there are."""
COLUMNS = [f"{entity}_{kind}_{window}" for entity in ENTITIES for kind in ("count", "rate") for window in WINDOWS]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def edges(as_of: Ints) -> tuple[Ints, list[Ints]]:
    """Where the windows of each question end, and where each starts: records count from a start to before the end."""
    end = as_of // TILE * TILE
    return end, [end // size * size - length for length, size in WINDOWS.values()]


def answers(counts: list[Ints], sums: list[Ints]) -> Floats:
    """The columns of one entity from its counts and sums by window."""
    with np.errstate(invalid="ignore", divide="ignore"):
        rates = [total / count for total, count in zip(sums, counts, strict=True)]
    return np.stack([*counts, *rates], axis=1).astype(np.float64)
