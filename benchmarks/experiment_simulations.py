"""How often an experiment errs, how soon it tells, and what peeking and clusters do to other intervals, by simulation.

Run: ``python -m benchmarks.experiment_simulations [--runs 2000] [coverage] [verdicts] [power] [ratio]``. Each run is an
experiment of two versions that is looked at every day with the library's own bounds and verdicts; 1,000 new units a day
for eight weeks. "Fixed" is the ordinary 95 % interval of a difference of means, looked at as often, from 100 units a
version on. "Over predictions" takes every prediction for a unit, of equal versions.
"""

import argparse
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from benchmarks.experiment_days import A_DAY, DAYS, KINDS, NAME, Setting, clustered, days_of, mean_of, normal
from smallbox.arrays import Bools
from smallbox.release.experiment_effects import MIN_UNITS, effects_of
from smallbox.release.experiment_sums import OutcomeSums
from smallbox.release.experiment_verdict import RATIO_ERROR, judged_experiment
from smallbox.statistics.sequences import sample_ratio_p, units_needed
from smallbox.times import DAY

DECIDES: Final = ("better", "worse", "no_difference")


def _fixed_excludes(sums: OutcomeSums, truth: float) -> bool:
    first, other = sums.plain[1], sums.plain[2]
    if min(first.units, other.units) < MIN_UNITS:
        return False
    error = math.sqrt(first.variance / first.units + other.variance / other.units)
    return abs(other.mean - first.mean - truth) > 1.96 * error


def _ever_wrong(rng: np.random.Generator, setting: Setting, runs: int) -> tuple[Bools, Bools]:
    """Whether the truth ever lay outside our bounds, and outside fixed ones."""
    ours, fixed = np.zeros(runs, bool), np.zeros(runs, bool)
    for records in days_of(rng, setting, runs):
        for run, record in enumerate(records):
            found = effects_of(record)[0].difference
            ours[run] |= not found.low <= setting.gain <= found.high
            fixed[run] |= _fixed_excludes(record.sums.outcomes[NAME], setting.gain)
    return ours, fixed


def coverage(runs: int) -> Iterator[str]:
    """How often the true effect, 5 % for every unit, ever lay outside, at 56 daily looks."""
    yield "| outcome | share of version 2 | ours | fixed, looked at daily | over predictions |\n|---|---|---|---|---|"
    for weight in (0.5, 0.1):
        for name, draw in KINDS.items():
            setting = Setting(draw, 0.05 * mean_of(draw), weight)
            ours, fixed = (one.mean() for one in _ever_wrong(np.random.default_rng(1_000), setting, runs))
            over = "-"
            if draw is clustered:
                by_prediction = replace(setting, gain=0.0, by_prediction=True)
                over = f"{_ever_wrong(np.random.default_rng(1_000), by_prediction, runs)[0].mean():.1%}"
            yield f"| {name} | {weight:.0%} | {ours:.1%} | {fixed:.1%} | {over} |"


def verdicts(runs: int) -> Iterator[str]:
    """The first verdict that decides after the minimum runtime of a week, within eight weeks."""
    words = (*DECIDES, "cannot_tell")
    yield f"| true effect | CUPED | {' | '.join(words)} | half had decided by day |\n|---|---|{'---|' * 5}"
    for effect in (0.0, 0.01, 0.02, 0.03, 0.05, -0.05):
        for cuped in (False, True):
            setting = Setting(normal, effect * 10, cuped=cuped, tuned_for=_needed(0.02, cuped=cuped)[1])
            found, days = _decided(np.random.default_rng(2_000), setting, runs)
            shares = " | ".join(f"{found[word] / runs:.1%}" for word in words)
            yield f"| {effect:+.0%} | {_yes(cuped)} | {shares} | {_half(days)} |"


def _decided(rng: np.random.Generator, setting: Setting, runs: int) -> tuple[Counter[str], list[float]]:
    words, ended = ["cannot_tell"] * runs, [math.inf] * runs
    for day, records in enumerate(days_of(rng, setting, runs), 1):
        for run, record in enumerate(records):
            if ended[run] == math.inf and (word := judged_experiment(record, day * DAY)["verdict"]) in DECIDES:
                words[run], ended[run] = word, day
    return Counter(words), ended


def _needed(effect: float, *, cuped: bool) -> tuple[int, int]:
    found = units_needed(2 * 5 * math.sqrt(0.5 if cuped else 1.0), effect * 10)
    return found.at_once, found.sequential


def _yes(cuped: bool) -> str:  # noqa: FBT001 - a cell
    return "yes" if cuped else "no"


def _half(days: Sequence[float]) -> str:
    half = float(np.median(days))
    return f"{half:.0f}" if math.isfinite(half) else "-"


def power(runs: int) -> Iterator[str]:
    """Whether the plan holds: the effect that it was made for is found by the day it names."""
    yield "| planned, true effect | CUPED | units at once | sequential | day | found by then | half were found by day |"
    yield "|---|---|---|---|---|---|---|"
    for effect in (0.02, 0.03, 0.05):
        for cuped in (False, True):
            at_once, sequential = _needed(effect, cuped=cuped)
            setting = Setting(normal, effect * 10, cuped=cuped, tuned_for=sequential)
            days = _found_on(np.random.default_rng(3_000), setting, runs)
            planned = math.ceil(sequential / A_DAY)
            share = np.mean(np.array(days) <= planned)
            units = f"{at_once:,} | {sequential:,}"
            yield f"| {effect:.0%} | {_yes(cuped)} | {units} | {planned} | {share:.1%} | {_half(days)} |"


def _found_on(rng: np.random.Generator, setting: Setting, runs: int) -> list[float]:
    found = [math.inf] * runs
    for day, records in enumerate(days_of(rng, setting, runs), 1):
        for run, record in enumerate(records):
            if found[run] == math.inf and effects_of(record)[0].difference.excludes_zero:
                found[run] = day
    return found


def ratio(runs: int) -> Iterator[str]:
    """How often the sample-ratio check stops an experiment within eight weeks, and on which day."""
    yield "| declared | true | units a day | stopped | half were stopped by day |\n|---|---|---|---|---|"
    for declared, true in ((0.5, 0.5), (0.1, 0.1), (0.5, 0.51), (0.5, 0.52), (0.5, 0.55), (0.1, 0.12)):
        for a_day in (100, 1_000):
            rng = np.random.default_rng(4_000)
            seen = rng.binomial(a_day, true, (runs, DAYS)).cumsum(axis=1)
            days = [_stopped(one, a_day, declared) for one in seen.tolist()]
            share = np.mean(np.isfinite(days))
            yield f"| {declared:.0%} | {true:.0%} | {a_day:,} | {share:.2%} | {_half(days)} |"


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
