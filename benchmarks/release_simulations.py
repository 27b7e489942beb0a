"""Simulated releases: how often the shadow is wrong, and how long it takes, beside two arms and the rule before.

Run: ``python -m benchmarks.release_simulations [runs]``, 2,000 runs by default (half an hour on one core). A run is 28
days with a look after each. A day has the sums of its rows: losses of the champion with an effect of the day, and
differences of loss with an effect of the day of their own. Levels and spreads are those of the flights of April
(`benchmarks.shadow_flights`): mean loss .53, rows .45, days .10; differences of rows .15. The effect of the day on the
difference is stated as design effect at 919 rows a day, and stays the same at other numbers of rows. Rules:

- shadow: `judge_shadow`, margin 2 % of the loss (0 where the question is how soon a worse version is found).
- two arms: half of the rows each, the difference of the arms' means, days as the unit; the same bounds.
- rule before: arms of 80 and 20 % of the rows, taken as independent, adjusted for the loss of the constant baseline
  (R2 .5), normal bounds with the error split over the looks; the canary of the release before this one.
"""

import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Final, Literal

import numpy as np

from smallbox.arrays import Floats
from smallbox.define.release_rules import Shadow
from smallbox.release.shadow_verdict import judge_shadow
from smallbox.statistics.paired_days import PairedDay, day_sequence, ratio_sequence
from smallbox.statistics.sequences import ConfidenceSequence, prior_variance

DAYS: Final = 28
LOSS: Final = 0.53
ROW_LOSS: Final = 0.45
DAY_LOSS: Final = 0.10
ROW_DIFFERENCE: Final = 0.15
MEASURED_ROWS: Final = 919
BASELINE_R2: Final = 0.5
MARGIN: Final = 0.02
SHARE_BEFORE: Final = 0.2
FIRST_LOOK: Final = 2

Verdict = Literal["better", "not_worse", "worse", "wait", "cannot_tell"]
CLIMBS: Final = frozenset({"better", "not_worse"})


@dataclass(frozen=True, slots=True)
class World:
    """Where the days of a release come from.

    Attributes:
        design_effect: of days on the difference, at 919 rows a day.
        alike: correlation of the effects of a day and the next.
        skewed: whether the effects on the difference are log-normal with skewness 1: rare days are much worse.
        rows: a day.
        increase: of the candidate's mean loss, as a share of the champion's.
    """

    name: str
    design_effect: float
    alike: float = 0.0
    skewed: bool = False
    rows: int = 3_000
    increase: float = 0.0


WORLDS: Final = (
    World("independent rows", 1),
    World("days, design effect 3", 3),
    World("days, design effect 10", 10),
    World("days, design effect 36", 36),
    World("days, design effect 10, neighbours .4 alike", 10, alike=0.4),
    World("days, design effect 10, skewness 1", 10, skewed=True),
    World("days, design effect 10, neighbours .4 alike, skewness 1", 10, alike=0.4, skewed=True),
)


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """The days of one release.

    Attributes:
        rows: of each day.
        champion: ``(d,)`` the champion's mean loss.
        difference: ``(d,)`` the mean difference of loss on the same rows.
        arms: ``(d,)`` the difference of the means of two arms of half the rows each.
        before: ``(d,)`` the same with 80 and 20 % of the rows, adjusted for the baseline's loss.
    """

    rows: int
    champion: Floats
    difference: Floats
    arms: Floats
    before: Floats

    def paired(self) -> list[PairedDay]:
        """The record of each day."""
        squares = self.rows * (ROW_DIFFERENCE**2 + self.difference**2)
        figures = zip(self.rows * self.champion, self.rows * (self.champion + self.difference), squares, strict=True)
        return [PairedDay(day, self.rows, *(float(one) for one in own)) for day, own in enumerate(figures)]


def run_of(world: World, random: np.random.Generator) -> Run:
    """Draw a release."""
    spread = math.sqrt((world.design_effect - 1) / MEASURED_ROWS) * ROW_DIFFERENCE
    level = LOSS + DAY_LOSS * effects(random, world.alike, skewed=False)
    true = world.increase * LOSS + spread * effects(random, world.alike, skewed=world.skewed)
    rows = [random.normal(size=DAYS) / math.sqrt(world.rows) for _ in range(4)]
    shares = SHARE_BEFORE * (1 - SHARE_BEFORE)
    return Run(
        world.rows,
        level + ROW_LOSS * rows[0],
        true + ROW_DIFFERENCE * rows[1],
        true + 2 * ROW_LOSS * rows[2],
        true + ROW_LOSS * math.sqrt((1 - BASELINE_R2) / shares) * rows[3],
    )


def effects(random: np.random.Generator, alike: float, *, skewed: bool) -> Floats:
    """``(d,)`` effects of days with variance 1: a first-order autoregression."""
    own = random.normal(size=DAYS + 20)
    if skewed:
        width = 0.3142
        scale = math.sqrt((math.exp(width**2) - 1) * math.exp(width**2))
        own = (np.exp(width * own) - math.exp(width**2 / 2)) / scale
    found = [0.0]
    for one in own * math.sqrt(1 - alike**2):
        found.append(alike * found[-1] + float(one))
    return np.array(found[-DAYS:])


def shadow(run: Run, margin: float) -> tuple[Verdict, int]:
    """The first verdict of the shadow, and its day."""
    rule, days = Shadow(max_loss_increase=margin, max_days=DAYS), run.paired()
    for seen in range(FIRST_LOOK, DAYS + 1):
        action = judge_shadow(rule, days[:seen], seen).action
        if action != "wait":
            return action, seen
    return "cannot_tell", DAYS


def two_arms(run: Run, margin: float) -> tuple[Verdict, int]:
    """The first verdict by two arms, and its day."""
    sizes = np.full(DAYS, float(run.rows))
    for seen in range(FIRST_LOOK, DAYS + 1):
        found = day_sequence(run.arms[:seen] * sizes[:seen], sizes[:seen], 0.1, DAYS // 2)
        if found.low > margin * LOSS:
            return "worse", seen
        if found.high < margin * LOSS:
            return ("better" if found.high < 0 else "not_worse"), seen
    return "cannot_tell", DAYS


def rule_before(run: Run, margin: float) -> tuple[Verdict, int]:
    """The first verdict of the canary of the release before: a copy of its rule."""
    shares = SHARE_BEFORE * (1 - SHARE_BEFORE)
    for seen in range(1, DAYS + 1):
        is_last = seen == DAYS
        quantile = NormalDist().inv_cdf(1 - (0.025 if is_last else 0.025 / (DAYS - 2)))
        increase = float(run.before[:seen].mean())
        width = quantile * ROW_LOSS * math.sqrt((1 - BASELINE_R2) / (shares * run.rows * seen))
        if abs(increase) > width:
            return ("worse" if increase > 0 else "better"), seen
        if is_last and increase + width < margin * LOSS:
            return "not_worse", seen
    return "cannot_tell", DAYS


RULES: Final[dict[str, Callable[[Run, float], tuple[Verdict, int]]]] = {
    "shadow": shadow,
    "two arms": two_arms,
    "rule before": rule_before,
}


def rows_sequence(values: Floats, row_spread: float, rows: int) -> ConfidenceSequence:
    """The asymptotic sequence over rows as independent (Waudby-Smith and others, Annals of Statistics 52, 2024)."""
    count, mean = len(values) * rows, float(values.mean())
    shrunk = 1 + count * prior_variance(0.05, DAYS // 2 * rows)
    width = row_spread * math.sqrt(2 * shrunk / ((shrunk - 1) * count) * math.log(math.sqrt(shrunk) / 0.05))
    return ConfidenceSequence(count, mean, mean - width, mean + width, 0.05)


def sequences(run: Run, seen: int) -> dict[str, ConfidenceSequence]:
    """The 95 % sequences at a look."""
    sizes = np.full(seen, float(run.rows))
    sums = run.difference[:seen] * sizes
    return {
        "paired, rows": rows_sequence(run.difference[:seen], ROW_DIFFERENCE, run.rows),
        "paired, days": ratio_sequence(sums, sizes, 0.05, DAYS // 2),
        "paired, days with their correlation": day_sequence(sums, sizes, 0.05, DAYS // 2),
        "paired, days less a covariate": adjusted(run, seen),
        "two arms, rows": rows_sequence(run.arms[:seen], 2 * ROW_LOSS, run.rows),
        "two arms, days with their correlation": day_sequence(run.arms[:seen] * sizes, sizes, 0.05, DAYS // 2),
    }


def adjusted(run: Run, seen: int) -> ConfidenceSequence:
    """Days less what a regression on a covariate with R2 .6 explains, as if the covariate's mean were known.

    The covariate is the day's effect on the difference with noise of its own. Fitted and centred on the same days, as a
    careless CUPED would.
    """
    random = np.random.default_rng(int(abs(run.champion[0]) * 1e9))
    noise = random.normal(size=DAYS) * math.sqrt(0.4 / 0.6) * run.difference.std()
    values, figure = run.difference[:seen], (run.difference + noise)[:seen]
    centred = figure - figure.mean()
    left = values - centred * float(centred @ values) / float(centred @ centred)
    return day_sequence(left, np.ones(seen), 0.05, DAYS // 2)


def ever_wrong(world: World, runs: int) -> dict[str, float]:
    """By sequence the share of releases in which a look excludes the true difference."""
    random, wrong = np.random.default_rng(1), dict.fromkeys(sequences(run_of(world, np.random.default_rng(0)), 2), 0)
    for _ in range(runs):
        run, missed = run_of(world, random), set[str]()
        for seen in range(FIRST_LOOK, DAYS + 1):
            found = sequences(run, seen)
            missed |= {name for name, one in found.items() if not one.low <= world.increase * LOSS <= one.high}
        for name in missed:
            wrong[name] += 1
    return {name: count / runs for name, count in wrong.items()}


def verdicts(world: World, rule: str, margin: float, runs: int) -> list[tuple[Verdict, int]]:
    """The first verdict of each release."""
    random = np.random.default_rng(2)
    return [RULES[rule](run_of(world, random), margin) for _ in range(runs)]


def share(found: list[tuple[Verdict, int]], actions: frozenset[str]) -> float:
    """The share of releases that end so."""
    return sum(action in actions for action, _ in found) / len(found)


def coverage_lines(runs: int) -> Iterator[str]:
    """The table of coverage."""
    yield "Ever wrong in 28 daily looks, of sequences that state 5 %; an equal version\n"
    names = list(sequences(run_of(WORLDS[0], np.random.default_rng(0)), 2))
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
