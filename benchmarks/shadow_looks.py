"""What `judge_shadow` would have said of April's flights, look by look, and its picture.

Run: ``python -m benchmarks.shadow_looks [--picture]``. Champion and candidates of `benchmarks.flight_candidates`;
margin 2 % of the champion's loss; at most 28 days from 1 April, a look after each. ``--picture`` writes
``docs/pictures/shadow_flights.svg``, of candidates as the estimator alone makes them. Blue: the bounds of
`judge_shadow`, with days as the unit. Red: those of a sequence that takes rows for independent. Green: the margin.
"""

import math
import sys
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.flight_candidates import NAMES, ShadowedFlights, shadowed_flights
from benchmarks.paired_comparisons import Compared, comparisons, log_loss
from docs.pictures.svg import Drawing
from smallbox.arrays import Floats
from smallbox.define.release_rules import Shadow
from smallbox.objectives.binary import Binary
from smallbox.objectives.objective import Scored
from smallbox.release.shadow_verdict import judge_shadow
from smallbox.statistics.paired_days import day_sequence, paired_days
from smallbox.statistics.sequences import prior_variance
from smallbox.times import DAY

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


def draw(flights: ShadowedFlights) -> str:
    """The picture."""
    d = Drawing(1010, 350, "The difference of loss in a shadow of April's flights, with bounds by days and by rows")
    d.text(LEFT, 26, "difference of loss after so many days of April; blue: days as the unit, red: rows", bold=True)
    for value in (-0.05, 0.0, 0.05, 0.1):
        d.text(LEFT - 8, height(value) + 4, f"{value:+.2f}", size=11, anchor="end")
    margin = 0.02 * float(log_loss(flights.champion, flights.late.astype(float)).mean())
    for at, name in enumerate(SHOWN):
        panel(d, at, name, comparisons(flights, name)["loss"], margin)
    d.text(LEFT, 336, "dashed: the margin, 2 % of the champion's loss. Each bound states 5 %.", size=12)
    return d.svg()


def leveled(flights: ShadowedFlights, chances: Floats) -> Floats:
    """``(n,)`` the losses after the level of each day is set."""
    objective, days, found = Binary(), flights.times // DAY, np.empty_like(chances)
    for day in np.unique(days):
        rows = days == day
        scored = Scored(chances[rows, None], flights.late[rows].astype(float), np.zeros(int(rows.sum()), int))
        found[rows] = objective.losses(objective.with_level_set(scored)).values
    return found


def verdict_line(flights: ShadowedFlights, name: str) -> str:
    """The first verdict of a candidate: the day, and the sentence."""
    late = flights.late.astype(float)
    pair = (flights.champion, flights.candidates[name])
    losses = [log_loss(one, late) for one in pair]
    days, rule = paired_days(flights.times // DAY, *losses), Shadow()
    level = paired_days(flights.times // DAY, *(leveled(flights, one) for one in pair))
    looks = ((seen, judge_shadow(rule, days[:seen], seen, level[:seen])) for seen in range(2, rule.max_days + 1))
    seen, verdict = next((seen, one) for seen, one in looks if one.action != "wait")
    truth = float((losses[1] - losses[0]).mean() / losses[0].mean())
    return f"| {name} | {truth:+.1%} | {verdict.action} | {seen} | {verdict.why} |"


def main() -> None:
    """Print the verdicts, and draw when asked."""
    for calibrated in (False, True):
        flights = shadowed_flights(calibrated=calibrated)
        print("as a training run makes them" if calibrated else "by the estimator alone")
        print("| candidate | in all of April | verdict | day | why |\n|---|---|---|---|---|")
        for name in NAMES:
            print(verdict_line(flights, name), flush=True)
        if "--picture" in sys.argv and not calibrated:
            PICTURE.write_text(draw(flights))


if __name__ == "__main__":
    main()
