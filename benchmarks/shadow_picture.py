"""Draws what a shadow of April's flights would have shown, look by look.

Run: ``python -m benchmarks.shadow_picture``; writes ``docs/pictures/shadow_flights.svg``. The candidates that were made
by the estimator alone. Blue: the bounds of `judge_shadow`, with days as the unit. Red: those of a sequence that takes
rows for independent. Green: the margin, 2 % of the champion's loss.
"""

import math
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.flight_candidates import NAMES, shadowed_flights
from benchmarks.shadow_flights import Compared, comparisons, log_loss
from docs.pictures.svg import Drawing
from smallbox.arrays import Floats
from smallbox.statistics.paired_days import day_sequence
from smallbox.statistics.sequences import prior_variance

PICTURE: Final = Path(__file__).parents[1] / "docs" / "pictures" / "shadow_flights.svg"
SHOWN: Final = (NAMES[0], NAMES[1], NAMES[4])
LOWEST: Final = -0.05
HIGHEST: Final = 0.13
ERROR: Final = 0.1
TUNED: Final = 14
FIRST: Final = 6
BLUE, RED, GREEN = "#1d4ed8", "#b91c1c", "#15803d"
WIDTH, HEIGHT, TOP, LEFT = 290.0, 220.0, 70.0, 70.0


def bounds(compared: Compared) -> tuple[Floats, Floats]:
    """``(looks, 3)`` mean, low and high by days, and the same by rows."""
    by_days, by_rows = [], []
    for seen in range(FIRST, len(compared.sizes) + 1):
        found = day_sequence(compared.sums[:seen], compared.sizes[:seen], ERROR, TUNED)
        by_days.append((found.value, found.low, found.high))
        rows = compared.rows[compared.days < seen]
        shrunk = 1 + len(rows) * prior_variance(ERROR, TUNED * len(rows) // seen)
        scale = 2 * shrunk / ((shrunk - 1) * len(rows)) * math.log(math.sqrt(shrunk) / ERROR)
        width = float(rows.std()) * math.sqrt(scale)
        by_rows.append((found.value, found.value - width, found.value + width))
    return np.array(by_days), np.array(by_rows)


def height(value: float) -> float:
    """Where a difference is drawn."""
    kept = min(max(value, LOWEST), HIGHEST)
    return TOP + (HIGHEST - kept) / (HIGHEST - LOWEST) * HEIGHT


def panel(d: Drawing, at: int, name: str, compared: Compared, margin: float) -> None:
    """One candidate."""
    left = LEFT + at * (WIDTH + 20)

    def x(day: float) -> float:
        return left + (day - FIRST) / (len(compared.sizes) - FIRST) * WIDTH

    d.text(left, TOP - 14, name, size=13, bold=True)
    by_days, by_rows = bounds(compared)
    days = [float(day) for day in range(FIRST, FIRST + len(by_days))]
    for found, fill, colour in ((by_days, "#dbeafe", BLUE), (by_rows, "#fecaca", RED)):
        upper = [(x(day), height(high)) for day, high in zip(days, found[:, 2].tolist(), strict=True)]
        lower = [(x(day), height(low)) for day, low in zip(days, found[:, 1].tolist(), strict=True)]
        d.area(*upper, *reversed(lower), fill=fill, edge=colour)
    d.line(*((x(day), height(mean)) for day, mean in zip(days, by_days[:, 0].tolist(), strict=True)), thick=2)
    d.line((left, height(0)), (left + WIDTH, height(0)), colour="#1f2933", thick=1)
    d.line((left, height(margin)), (left + WIDTH, height(margin)), colour=GREEN, thick=1.5, dashed=True)
    for day in (6, 14, 22, 30):
        d.text(x(day), TOP + HEIGHT + 18, str(day), size=11, anchor="middle")


def main() -> None:
    """Draw."""
    flights = shadowed_flights(calibrated=False)
    d = Drawing(1010, 350, "The difference of loss in a shadow of April's flights, with bounds by days and by rows")
    d.text(
        LEFT, 26, "candidate's loss less the champion's, by days of April; blue: days as the unit, red: rows", bold=True
    )
    for value in (-0.05, 0.0, 0.05, 0.1):
        d.text(LEFT - 8, height(value) + 4, f"{value:+.2f}", size=11, anchor="end")
    margin = 0.02 * float(log_loss(flights.champion, flights.late.astype(float)).mean())
    for at, name in enumerate(SHOWN):
        panel(d, at, name, comparisons(flights, name)["loss"], margin)
    d.text(LEFT, 336, "dashed: the margin, 2 % of the champion's loss. Each bound states 5 %.", size=12)
    PICTURE.write_text(d.svg())


if __name__ == "__main__":
    main()
