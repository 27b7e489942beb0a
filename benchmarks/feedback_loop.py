"""Does the detector of feedback loops ring before half of the catalogue is gone, and only then?

Run: ``python benchmarks/feedback_loop.py [SEEDS [ROWS]]``; the default is 100 markets of each kind, 90 days each.
``--picture`` stores the days of the markets of seed 0 in ``docs/pictures/feedback_loop.json``, which
``python -m docs.pictures.draw`` draws. ``--border [ROWS]`` counts how often merit is denied where all items are alike
and nothing may be forgone: there the stated level is all that stands between chance and a ring.

A market has 100 items with a true appeal (click rates around 10 %), a history of clicks that placement made,
and 3,000 exposures (ROWS) a day, a tenth of them random. Every night the model learns from the clicks.

- loop: the share of an item grows with its own clicks, however often it was shown; random rows are not learnt from.
- fast loop: the same, which has lost half of the catalogue after three weeks.
- exploration: the same model learns from the random rows too, each click weighted by 1 / its propensity.
- good model: it ranks by the true appeal, sharper every day, so that exposure narrows and is earned.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np

from smallbox.arrays import Floats
from smallbox.monitoring.feedback_loop import Exposures, is_unearned, loop_reading
from smallbox.statistics.exposure import forgone, gini, shown_share

ITEMS: Final = 100
ROWS: Final = 3_000
DAYS: Final = 90
EXPLORED: Final = 0.1
ERROR: Final = 1 / 91
MAX_FORGONE: Final = 0.05
NUMBERS: Final = Path(__file__).parents[1] / "docs" / "pictures" / "feedback_loop.json"

Policy = Callable[[Floats, Floats, Floats, int], Floats]
"""The weights of the items from own clicks, all clicks weighted by 1 / propensity, true appeal, and the day."""

MARKETS: Final[dict[str, tuple[Policy, float]]] = {
    "loop": (lambda own, _fair, _appeal, _day: own**2, 200),
    "fast loop": (lambda own, _fair, _appeal, _day: own**2, 60),
    "exploration": (lambda _own, fair, _appeal, _day: fair**2, 200),
    "good model": (lambda _own, _fair, appeal, day: appeal ** (1 + day / 40), 200),
}
"""Each market with its clicks of an item before the first day: the fewer, the faster a loop closes."""


def market(name: str, seed: int, days: int = DAYS, rows: int = ROWS) -> Exposures:
    """What a market shows, day by day."""
    policy, clicks_before = MARKETS[name]
    rng = np.random.default_rng(seed)
    appeal = rng.beta(4, 36, ITEMS)
    history = clicks_before * rows / ROWS * rng.lognormal(0, 0.7, ITEMS)  # of earlier placement, not of appeal
    own, fair = history.copy(), history.copy()
    shown, explored, gained, earned = (np.zeros((days, ITEMS)) for _ in range(4))
    for day in range(days):
        weights = policy(own, fair, appeal, day)
        share = weights / weights.sum()
        today = np.clip(appeal * rng.normal(1, 0.1), 0, 1)  # days are good and bad for all items together
        explored[day] = rng.multinomial(round(EXPLORED * rows), np.full(ITEMS, 1 / ITEMS))
        shown[day] = rng.multinomial(round((1 - EXPLORED) * rows), share)
        clicks = earned[day] = rng.binomial(shown[day].astype(int), today)
        gained[day] = rng.binomial(explored[day].astype(int), today)
        own += clicks
        fair += (clicks + gained[day]) / (rows * ((1 - EXPLORED) * share + EXPLORED / ITEMS)) * 100 * rows / ROWS
    return Exposures(tuple(map(str, range(ITEMS))), shown, explored, gained, shown, earned)


def up_to(seen: Exposures, days: int) -> Exposures:
    """The first days of a market."""
    counts = (seen.shown, seen.explored, seen.gained, seen.judged, seen.earned)
    return Exposures(seen.items, *(one[:days] for one in counts))


def first_ring(seen: Exposures) -> int | None:
    """The day after which the detector first rings."""
    looks = range(14, len(seen.shown) + 1)
    return next((n for n in looks if loop_reading(up_to(seen, n), MAX_FORGONE, ERROR).verdict == "loop"), None)


def half_gone(seen: Exposures) -> int | None:
    """The first day on which the model shows less than half of the catalogue."""
    return next((day + 1 for day, counts in enumerate(seen.shown) if shown_share(counts) < 0.5), None)


def day_by_day(name: str) -> dict[str, Any]:
    """What the market of seed 0 shows each day, and when it rang and was half gone."""
    seen = market(name, 0)
    figures = {"coverage": shown_share, "gini": gini}
    curves = {figure: [round(of(day), 3) for day in seen.shown] for figure, of in figures.items()}
    return {"rang": first_ring(seen), "half_gone": half_gone(seen), **curves}


def store_days() -> None:
    """Store the numbers of the picture."""
    markets = {name: day_by_day(name) for name in ("loop", "exploration", "good model")}
    NUMBERS.write_text(json.dumps({"rows": ROWS, "days": DAYS, "seed": 0, "markets": markets}) + "\n")


def border_rate(rows: int, steepness: float, days: int, draws: int = 2_000) -> float:
    """How often merit is denied at the level of a look, over that level, where all items are alike."""
    found, weights = 0, np.exp(-steepness * np.arange(ITEMS) / ITEMS)
    for seed in range(draws):
        rng = np.random.default_rng(seed)
        today = 0.1 * rng.normal(1, 0.1, (days, 1)).clip(0.2)
        explored = rng.multinomial(round(EXPLORED * rows), np.full(ITEMS, 1 / ITEMS), days)
        shown = rng.multinomial(round((1 - EXPLORED) * rows), rng.permutation(weights / weights.sum()), days)
        gained, earned = rng.binomial(explored, today), rng.binomial(shown, today)
        base = shown[-7:].sum(0) / shown[-7:].sum()
        counts = (one.astype(float) for one in (explored, gained, shown, earned))
        found += is_unearned(forgone(base, *counts), 0.0, ERROR)
    return found / draws / ERROR


def print_border(rows: int) -> None:
    """Print how the level holds, by concentration and days."""
    print(f"{rows} rows a day; denied merit, as a multiple of the stated level\nsteepness  14 days  30 days  90 days")
    for steepness in (2.0, 6.0, 12.0):
        rates = "  ".join(f"{border_rate(rows, steepness, days):7.2f}" for days in (14, 30, 90))
        print(f"{steepness:9}  {rates}")


def main() -> None:
    """Print the table."""
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    rows = int(sys.argv[2]) if len(sys.argv) > 2 else ROWS
    print("market        rang  of   day rang (5 %, median, 95 %)  coverage then (median, least)  before half gone")
    for name in MARKETS:
        rings, cover, early = [], [], 0
        for seed in range(seeds):
            seen = market(name, seed, rows=rows)
            ring, gone = first_ring(seen), half_gone(seen)
            if ring is not None:
                rings.append(ring)
                cover.append(shown_share(seen.shown[ring - 1]))
                early += gone is None or ring < gone
        days = " ".join(f"{one:.0f}" for one in np.quantile(rings, (0.05, 0.5, 0.95))) if rings else "-"
        left = f"{np.median(cover):.0%} {min(cover):.0%}" if cover else "-"
        print(f"{name:12} {len(rings):5} {seeds:4}   {days:28} {left:29} {early}")


if __name__ == "__main__":
    if "--picture" in sys.argv:
        store_days()
    elif "--border" in sys.argv:
        print_border(int(sys.argv[2]) if len(sys.argv) > 2 else ROWS)
    else:
        main()
