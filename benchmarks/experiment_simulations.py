"""How often an experiment errs, how soon it tells, and what peeking and clusters do to other intervals, by simulation.

Run: ``python -m benchmarks.experiment_simulations [--runs 2000] [coverage] [verdicts] [power] [ratio]``. Each run is an
experiment of two versions that is looked at every day with the library's own sums, bounds and verdicts; 1,000 new units
a day for eight weeks. "Fixed" is the ordinary 95 % interval of a difference of means, looked at as often. "Predictions"
is the same sequence with every prediction taken for a unit.
"""

import argparse
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from smallbox.arrays import Floats, Ints
from smallbox.define.experiments import Experiment, Outcome
from smallbox.registry.routing import RunningExperiment
from smallbox.release.experiment_effects import effects_of
from smallbox.release.experiment_look import no_sums
from smallbox.release.experiment_record import ExperimentRecord
from smallbox.release.experiment_sums import OutcomeSums
from smallbox.release.experiment_verdict import RATIO_ERROR, judged_experiment
from smallbox.statistics.arm_sequences import ArmMoments, difference_sequence
from smallbox.statistics.covariate_adjustment import CovariateFit
from smallbox.statistics.sequences import sample_ratio_p, units_needed
from smallbox.times import DAY

DAYS: Final = 56
A_DAY: Final = 1_000
VERSIONS: Final = (1, 2)
MEASURED: Final = Experiment(Outcome("orders", "amount", "customer", "unit", "1d"), covariate="before", max_days=DAYS)


@dataclass(frozen=True, slots=True)
class Units:
    """The units of a day.

    Attributes:
        outcomes: the sum of each unit, as version 1 would give it.
        sizes: how many predictions each unit has.
        covariates: the covariate of each unit.
    """

    outcomes: Floats
    sizes: Ints
    covariates: Floats


Draw = Callable[[np.random.Generator, int], Units]


def _plain(outcomes: Floats) -> Units:
    return Units(outcomes, np.ones(len(outcomes), np.int64), np.full(len(outcomes), np.nan))


def normal(rng: np.random.Generator, units: int) -> Units:
    """Mean 10, standard deviation 5, half of the variance explained by the covariate."""
    explained, rest = rng.normal(0, math.sqrt(12.5), (2, units))
    return Units(10 + explained + rest, np.ones(units, np.int64), explained)


def often(rng: np.random.Generator, units: int) -> Units:
    """5 % of the units convert."""
    return _plain((rng.random(units) < 0.05).astype(float))


def seldom(rng: np.random.Generator, units: int) -> Units:
    """0.5 % of the units convert."""
    return _plain((rng.random(units) < 0.005).astype(float))


def heavy(rng: np.random.Generator, units: int) -> Units:
    """10 % of the units order, for log-normal sums."""
    return _plain((rng.random(units) < 0.1) * rng.lognormal(2, 1.2, units))


def clustered(rng: np.random.Generator, units: int) -> Units:
    """Ten predictions a unit on average, whose outcomes share the unit's own level."""
    sizes = rng.geometric(0.1, units)
    level = rng.normal(1, 1, units)
    return Units(sizes * level + rng.normal(0, np.sqrt(sizes)), sizes, np.full(units, np.nan))


def moving(rng: np.random.Generator, units: int) -> Units:
    """The mean of the day moves by a fifth of a unit's standard deviation, for both versions."""
    return _plain(rng.normal(10 + rng.normal(), 5, units))


KINDS: Final[Mapping[str, Draw]] = {
    "normal": normal,
    "5 % convert": often,
    "0.5 % convert": seldom,
    "heavy tail": heavy,
    "ten predictions a unit": clustered,
    "days move": moving,
}


@dataclass(frozen=True, slots=True)
class Setting:
    """One cell of a table.

    Attributes:
        draw: the units.
        effect: the true effect of version 2, as a share of the mean.
        weight: the share of version 2.
        cuped: whether the covariate is used.
        tuned_for: at how many units the bounds are narrowest.
    """

    draw: Draw
    effect: float = 0.0
    weight: float = 0.5
    cuped: bool = False
    tuned_for: int = 20_000


def days_of(rng: np.random.Generator, setting: Setting, mean: float) -> Iterator[tuple[Units, Ints]]:
    """The units of each day with their versions; those of version 2 earn the effect."""
    for _ in range(DAYS):
        units = setting.draw(rng, A_DAY)
        versions = np.where(rng.random(A_DAY) < setting.weight, 2, 1)
        gained = units.outcomes + np.where(versions == 2, setting.effect * mean, 0.0)
        yield replace(units, outcomes=gained), versions


def records_of(rng: np.random.Generator, setting: Setting, mean: float) -> Iterator[ExperimentRecord]:
    """The record of an experiment after each day."""
    weights = ((1, 1 - setting.weight), (2, setting.weight))
    fit = _earlier(setting, rng)
    sums = no_sums(MEASURED, 0, {MEASURED.outcome.name: fit})
    running = RunningExperiment("simulated", "ab", weights)
    record = ExperimentRecord(running, MEASURED, "running", "", "", {}, setting.tuned_for, sums)
    for day, (units, versions) in enumerate(days_of(rng, setting, mean), 1):
        covariates = units.covariates if setting.cuped else np.full(A_DAY, np.nan)
        own = record.sums.outcomes[MEASURED.outcome.name].with_units(versions, units.outcomes, covariates, day * DAY)
        record = replace(record, sums=replace(record.sums, outcomes={MEASURED.outcome.name: own}))
        yield record


def _earlier(setting: Setting, rng: np.random.Generator) -> CovariateFit:
    """What a plan knows of the covariate from four weeks before."""
    if not setting.cuped:
        return CovariateFit()
    units = setting.draw(rng, 28 * A_DAY)
    return CovariateFit().with_units(units.outcomes, units.covariates)


def _mean_of(draw: Draw) -> float:
    return float(draw(np.random.default_rng(1), 2_000_000).outcomes.mean())


def _fixed_excludes(sums: OutcomeSums, truth: float) -> bool:
    first, other = (sums.plain.get(version, ArmMoments()) for version in VERSIONS)
    if min(first.units, other.units) < 2:
        return False
    error = math.sqrt(first.variance / first.units + other.variance / other.units)
    return abs(other.mean - first.mean - truth) > 1.96 * error


def _predictions_excluded(rng: np.random.Generator, setting: Setting, mean: float) -> bool:
    """Whether the sequence over single predictions ever excludes the truth, per prediction."""
    arms = {1: ArmMoments(), 2: ArmMoments()}
    for units, versions in days_of(rng, setting, mean):
        for version in VERSIONS:
            own = versions == version
            each = np.repeat(units.outcomes[own] / units.sizes[own], units.sizes[own])
            arms[version] = arms[version].with_values(each)
        found = difference_sequence(arms[1], arms[2], 0.05, setting.tuned_for * 10)
        if found.low > 0 or found.high < 0:
            return True
    return False


def coverage(runs: int) -> Iterator[str]:
    """How often the true effect ever lay outside, at 56 daily looks."""
    yield "| outcome | true effect | share of version 2 | ours | fixed, looked at daily | over predictions |"
    yield "|---|---|---|---|---|---|"
    for (name, draw), effect, weight in [
        *((one, 0.0, 0.5) for one in KINDS.items()),
        *((one, 0.05, 0.1) for one in KINDS.items()),
    ]:
        rng, mean = np.random.default_rng(1_000), _mean_of(draw)
        setting = Setting(draw, effect, weight)
        wrong, fixed = 0, 0
        for _ in range(runs):
            ours = others = False
            for record in records_of(rng, setting, mean):
                found = effects_of(record)[0].difference
                ours |= not found.low <= effect * mean <= found.high
                others |= _fixed_excludes(record.sums.outcomes[MEASURED.outcome.name], effect * mean)
            wrong, fixed = wrong + ours, fixed + others
        few = max(runs // 10, 1) if draw is clustered and not effect else 0
        rows = sum(_predictions_excluded(rng, setting, mean) for _ in range(few))
        over = f"{rows / few:.0%} of {few}" if few else "-"
        yield f"| {name} | {effect:.0%} | {weight:.0%} | {wrong / runs:.1%} | {fixed / runs:.1%} | {over} |"


def verdicts(runs: int) -> Iterator[str]:
    """The verdict at the end of eight weeks, or the first that decides after the minimum runtime."""
    words = ("better", "worse", "no_difference", "cannot_tell")
    yield f"| true effect | CUPED | {' | '.join(words)} | half had decided by day |\n|---|---|{'---|' * 5}"
    for effect in (0.0, 0.01, 0.02, 0.03, 0.05, -0.05):
        for cuped in (False, True):
            rng, found, ended = np.random.default_rng(2_000), Counter[str](), list[float]()
            setting = Setting(normal, effect, cuped=cuped, tuned_for=_planned(0.02, cuped=cuped))
            for _ in range(runs):
                word, day = _decided(rng, setting)
                found[word] += 1
                ended.append(day)
            shares = " | ".join(f"{found[word] / runs:.1%}" for word in words)
            half = np.median(ended)
            yield f"| {effect:+.0%} | {'yes' if cuped else 'no'} | {shares} | {half:.0f} |".replace("| inf |", "| - |")


def _decided(rng: np.random.Generator, setting: Setting) -> tuple[str, float]:
    """The first verdict that decides, and its day; ``cannot_tell`` and infinity without one."""
    for day, record in enumerate(records_of(rng, setting, 10.0), 1):
        word = judged_experiment(record, day * DAY)["verdict"]
        if word in {"better", "worse", "no_difference"}:
            return word, day
    return "cannot_tell", math.inf


def _planned(effect: float, *, cuped: bool) -> int:
    return units_needed(2 * 5 * math.sqrt(0.5 if cuped else 1.0), effect * 10).sequential


def power(runs: int) -> Iterator[str]:
    """Whether the plan holds: the effect that it was made for is found by the day it names."""
    yield "| planned and true effect | CUPED | units: at once / sequential | day | found by then | half were found by |"
    yield "|---|---|---|---|---|---|"
    for effect, cuped in ((0.02, False), (0.02, True), (0.03, False), (0.03, True), (0.05, False), (0.05, True)):
        deviation = 2 * 5 * math.sqrt(0.5 if cuped else 1.0)
        needed = units_needed(deviation, effect * 10)
        planned, rng = math.ceil(needed.sequential / A_DAY), np.random.default_rng(3_000)
        setting = Setting(normal, effect, cuped=cuped, tuned_for=needed.sequential)
        days = [_first_day(rng, setting) for _ in range(runs)]
        yield (
            f"| {effect:.0%} | {'yes' if cuped else 'no'} | {needed.at_once:,} / {needed.sequential:,} | {planned} | "
            f"{np.mean(np.array(days) <= planned):.0%} | day {np.median(days):.0f} |"
        )


def _first_day(rng: np.random.Generator, setting: Setting) -> float:
    for day, record in enumerate(records_of(rng, setting, 10.0), 1):
        if effects_of(record)[0].difference.excludes_zero:
            return day
    return math.inf


def ratio(runs: int) -> Iterator[str]:
    """How often the sample-ratio check stops an experiment within eight weeks, and on which day."""
    yield "| declared | true | units a day | stopped | half were stopped by |"
    yield "|---|---|---|---|---|"
    for declared, true in ((0.5, 0.5), (0.1, 0.1), (0.5, 0.51), (0.5, 0.52), (0.5, 0.55), (0.1, 0.12)):
        for a_day in (100, 1_000):
            rng, days = np.random.default_rng(4_000), list[float]()
            for _ in range(runs):
                seen = rng.binomial(a_day, true, DAYS).cumsum()
                days.append(_stopped(seen.tolist(), a_day, declared))
            half, share = np.median(days), np.mean(np.isfinite(days))
            when = f"day {half:.0f}" if np.isfinite(half) else "-"
            yield f"| {declared:.0%} | {true:.0%} | {a_day:,} | {share:.2%} | {when} |"


def _stopped(seen: Sequence[int], a_day: int, declared: float) -> float:
    shares = {"1": 1 - declared, "2": declared}
    for day, count in enumerate(seen, 1):
        if sample_ratio_p({"1": a_day * day - count, "2": count}, shares) < RATIO_ERROR:
            return day
    return math.inf


TABLES: Final[Mapping[str, Callable[[int], Iterator[str]]]] = {
    "coverage": coverage,
    "verdicts": verdicts,
    "power": power,
    "ratio": ratio,
}


def main() -> None:
    """Print the tables that are asked for, by default all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tables", nargs="*", choices=[*TABLES, []], default=[])
    parser.add_argument("--runs", type=int, default=2_000)
    arguments = parser.parse_args()
    for name in arguments.tables or TABLES:
        print(f"\n## {name}, {arguments.runs:,} runs", flush=True)
        for line in TABLES[name](arguments.runs):
            print(line, flush=True)


if __name__ == "__main__":
    main()
