"""Simulated releases: how often the shadow is wrong, and how long it takes, beside two arms and the rule before.

Run: ``python -m benchmarks.release_simulations [runs]``, 2,000 runs by default, drawn together. A run is 28
days with a look after each. A day has the sums of its rows: losses of the champion with an effect of the day, and
differences of loss with an effect of the day of their own. Levels and spreads are those of the flights of April
(`benchmarks.shadow_flights`): mean loss .53, rows .45, days .10; differences of rows .15. The effect of the day on the
difference is stated as design effect at 919 rows a day, and stays the same at other numbers of rows. Rules:

- shadow: the rule of `judge_shadow`, for many runs at once (a test compares both); margin 2 % of the loss, or 0 where
  the question is how soon a worse version is found.
- two arms: half of the rows each, the difference of the arms' means, days as the unit; the same bounds.
- rule before: arms of 80 and 20 % of the rows, taken as independent, adjusted for the loss of the constant baseline
  (R2 .5), normal bounds with the error split over the looks; the canary of the release before this one.
"""

import math
import sys
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from benchmarks.simulated_releases import (
    CLIMBS,
    DAYS,
    FIRST_LOOK,
    LOSS,
    MARGIN,
    MEASURED_ROWS,
    ROW_DIFFERENCE,
    ROW_LOSS,
    RULES,
    WORLDS,
    Runs,
    Verdict,
    World,
    runs_of,
    widths,
)
from smallbox.arrays import Bools
from smallbox.statistics.sequences import prior_variance


def misses(runs: Runs, seen: int, truth: float) -> dict[str, Bools]:
    """By 95 % sequence ``(r,)`` whether a look excludes the truth."""
    paired, arms, figure = runs.difference[:, :seen], runs.arms[:, :seen], runs.figure[:, :seen]
    centred, values = (one - one.mean(axis=1, keepdims=True) for one in (figure, paired))
    slope = (centred * values).sum(axis=1) / (centred**2).sum(axis=1)
    left = values - slope[:, None] * centred
    kinds = {
        "paired, rows": (paired, np.full(len(paired), rows_width(ROW_DIFFERENCE, seen, runs.rows))),
        "paired, days": (paired, widths(paired, 0.05, alike=False)),
        "paired, days with their correlation": (paired, widths(paired, 0.05, alike=True)),
        "paired, days less a covariate": (paired, widths(left, 0.05, alike=True)),
        "two arms, rows": (arms, np.full(len(arms), rows_width(2 * ROW_LOSS, seen, runs.rows))),
        "two arms, days with their correlation": (arms, widths(arms, 0.05, alike=True)),
    }
    return {name: np.abs(found.mean(axis=1) - truth) > width for name, (found, width) in kinds.items()}


def rows_width(spread: float, days: int, rows: int) -> float:
    """The width of the sequence that takes rows as independent (Waudby-Smith and others, Annals of Statistics 52)."""
    count = days * rows
    shrunk = 1 + count * prior_variance(0.05, DAYS // 2 * rows)
    return spread * math.sqrt(2 * shrunk / ((shrunk - 1) * count) * math.log(math.sqrt(shrunk) / 0.05))


def ever_wrong(world: World, count: int) -> dict[str, float]:
    """By sequence the share of releases in which a look excludes the true difference."""
    runs, truth = runs_of(world, count, 1), world.increase * LOSS
    looks = [misses(runs, seen, truth) for seen in range(FIRST_LOOK, DAYS + 1)]
    return {name: float(np.any([look[name] for look in looks], axis=0).mean()) for name in looks[0]}


def verdicts(world: World, rule: str, margin: float, count: int) -> list[tuple[Verdict, int]]:
    """The first verdict of each release, and its day."""
    return RULES[rule](runs_of(world, count, 2), margin)


def share(found: list[tuple[Verdict, int]], actions: frozenset[str]) -> float:
    """The share of releases that end so."""
    return sum(action in actions for action, _ in found) / len(found)


def coverage_lines(runs: int) -> Iterator[str]:
    """The table of coverage."""
    yield "Ever wrong in 28 daily looks, of sequences that state 5 %; an equal version\n"
    names = list(misses(runs_of(WORLDS[0], 2, 0), 2, 0.0))
    yield from head("days", *names)
    for world in WORLDS:
        found = ever_wrong(replace(world, rows=MEASURED_ROWS), runs)
        yield row(world.name, *(f"{found[name]:.1%}" for name in names))


def verdict_lines(runs: int) -> Iterator[str]:
    """The table of verdicts."""
    yield "Share of releases that end so; margin 2 %, 5 % error each side; that a version 2 % worse climbs is false\n"
    yield from head("days", "rows a day", "rule", "equal: called better", "climbs", "stopped as worse", "cannot tell",
                    "2 % worse: climbs", "stopped as worse", "5 % worse: climbs", "stopped as worse")  # fmt: skip
    for world in WORLDS:
        for rows in (300, 3_000, 30_000) if world.design_effect in {1, 10} and not world.skewed else (3_000,):
            for rule in RULES:
                made = [replace(world, rows=rows, increase=one) for one in (0.0, 0.02, 0.05)]
                equal, edge, worse = (verdicts(one, rule, MARGIN, runs) for one in made)
                shares = [share(equal, frozenset({one})) for one in ("better", "worse", "cannot_tell")]
                shares.insert(1, share(equal, CLIMBS))
                shares += [share(one, of) for one in (edge, worse) for of in (CLIMBS, frozenset({"worse"}))]
                yield row(world.name, f"{rows:,}", rule, *(f"{one:.1%}" for one in shares))


def delay_lines(runs: int) -> Iterator[str]:
    """The table of delays."""
    yield "Days until a worse version is stopped, margin 0: median (share of the releases that stop it in 28 days)\n"
    yield from head("days", "rows a day", "rule", "1 % worse", "3 % worse", "10 % worse")
    for world in (WORLDS[0], WORLDS[1], WORLDS[2], WORLDS[4]):
        for rows in (300, 3_000, 30_000):
            for rule in RULES:
                cells = []
                for increase in (0.01, 0.03, 0.10):
                    found = verdicts(replace(world, rows=rows, increase=increase), rule, 0.0, runs)
                    days = [day if action == "worse" else math.inf for action, day in found]
                    middle = float(np.median(days))
                    told = share(found, frozenset({"worse"}))
                    cells.append(f"{middle:.0f} ({told:.0%})" if math.isfinite(middle) else f"- ({told:.0%})")
                yield row(world.name, f"{rows:,}", rule, *cells)


def head(*cells: str) -> Iterator[str]:
    """The head of a table."""
    yield row(*cells)
    yield row(*["---"] * len(cells))


def row(*cells: str) -> str:
    """A row of a table."""
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Print the tables."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
    for lines in (coverage_lines, verdict_lines, delay_lines):
        for line in lines(runs):
            print(line, flush=True)
        print()


if __name__ == "__main__":
    main()
