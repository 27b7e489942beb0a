"""How often does the watch over a canary roll back a version that does no harm, and how soon one that does?

``python benchmarks/canary_harm.py false_rollbacks --runs 200`` simulates whole canaries of a version that is no worse,
with all four figures in trouble at once, looked at again and again. ``... delays --runs 50`` prints the minutes until a
version that fails is rolled back. The peer, "z test", is the usual rule: two proportions, 5 % for each figure, at each
look.
"""

import argparse
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from smallbox.arrays import Bools, Floats, Ints
from smallbox.define.release_rules import Canary, HarmLimits
from smallbox.release.canary_marks import CLUSTERS
from smallbox.release.harm import error_of_each, p_value_of
from smallbox.release.harm_counts import COUNTED, ArmCounts
from smallbox.times import MINUTE

UNITS: Final = 2_000
LIMITS: Final = HarmLimits()
FIGURES: Final = len(COUNTED) - 1
DAY: Final = 1_440
SETTINGS: Final = ("independent", "at the limit", "minutes", "units", "retries", "units at the limit")


@dataclass(frozen=True)
class Step:
    """The requests of one step: minute, arm and cluster of each, and its trouble by figure."""

    minute: Ints
    arm: Ints
    cluster: Ints
    trouble: Bools
    minutes: int

    def seen(self, looks: Sequence[int]) -> Iterator[ArmCounts]:
        """The counts of the first minutes, at each of these looks."""
        by_minute = self._counts(self.minute, self.minutes)
        span = np.searchsorted(np.array(looks), self.minute, side="right")
        by_span = self._counts(span * CLUSTERS + self.cluster, (len(looks) + 1) * CLUSTERS)
        clusters = by_span.reshape(len(looks) + 1, CLUSTERS, 2, len(COUNTED)).cumsum(axis=0)
        return (ArmCounts(by_minute[:look], clusters[at]) for at, look in enumerate(looks))

    def _counts(self, of: Ints, size: int) -> Floats:
        at = of * 2 + self.arm
        chosen = [at, *(at[one] for one in self.trouble)]
        return (
            np.stack([np.bincount(one, minlength=size * 2) for one in chosen], axis=1)
            .reshape(size, 2, len(COUNTED))
            .astype(np.float64)
        )


def step(rng: np.random.Generator, rate: float, share: float, minutes: int, setting: str) -> Step:
    """A step of a version that is no worse than the champion by more than the limits."""
    activity = rng.lognormal(0, 1.5, UNITS)
    challenged, cluster = (rng.random(UNITS) < share).astype(np.int64), rng.integers(0, CLUSTERS, UNITS)
    minute = np.repeat(np.arange(minutes), rng.poisson(rate * 60, minutes))
    unit: Ints = np.searchsorted(np.cumsum(activity / activity.sum())[:-1], rng.random(len(minute)))
    if setting == "retries":
        tries = np.where(rng.random(len(minute)) < 0.002, 20, 1)
        minute, unit = np.repeat(minute, tries), np.repeat(unit, tries)
        once = np.repeat(tries > 1, tries)
        trouble = np.tile(once, (FIGURES, 1))
    else:
        chance = np.stack([_chance(rng, setting, minute, unit, minutes) for _ in range(FIGURES)])
        if setting.endswith("at the limit"):
            limits = np.array([getattr(LIMITS, figure) for figure in COUNTED[1:]])
            chance = np.minimum(1.0, chance + limits[:, None] * challenged[unit])
        trouble = rng.random(chance.shape) < chance
    return Step(minute, challenged[unit], cluster[unit], trouble, minutes)


def _chance(rng: np.random.Generator, setting: str, minute: Ints, unit: Ints, minutes: int) -> Floats:
    if setting == "minutes":  # about one outage in two hours, five minutes long
        starts = rng.random(minutes) < 1 / 120
        outage = np.convolve(starts, np.ones(5))[:minutes] > 0
        return np.asarray(np.where(outage, 0.7, 0.002)[minute])
    if setting.startswith("units"):
        return np.asarray(np.where(rng.random(UNITS) < 0.02, 1.0, 0.001)[unit])
    return np.full(len(minute), 0.01)


def looks(minutes: int) -> list[int]:
    """The minutes of a step at which the simulation looks: soon after its start often, then ever rarer."""
    return sorted({2, 4, 7, *(int(at) for at in np.geomspace(10, minutes, 10))})


def z_test(counts: ArmCounts) -> bool:
    """Whether the usual test of two proportions finds a figure worse than the limit."""
    (n0, *x0), (n1, *x1) = counts.minutes.sum(axis=0)
    for figure, a, b in zip(COUNTED[1:], x0, x1, strict=True):
        p0, p1 = a / max(n0, 1), b / max(n1, 1)
        error = math.sqrt(p0 * (1 - p0) / max(n0, 1) + p1 * (1 - p1) / max(n1, 1))
        if error > 0 and p1 - p0 - getattr(LIMITS, figure) > 1.645 * error:  # 5 %, one-sided
            return True
    return False


def is_harm(counts: ArmCounts, steps: int) -> bool:
    """What the rule decides of these counts; without the rest of its verdict, which costs as much again."""
    error = error_of_each(LIMITS, steps)
    return any(p_value_of(LIMITS, counts.of(figure), figure) <= error for figure in COUNTED[1:])


def rolled_back(rng: np.random.Generator, rate: float, setting: str) -> tuple[bool, bool]:
    """Whether a whole canary of the default steps is rolled back: by the rule, by the z test."""
    ours = theirs = False
    steps = Canary().parsed
    for one in steps:
        made = step(rng, rate, one.share, one.bake_micros // MINUTE, setting)
        for counts in made.seen(looks(made.minutes)):
            theirs = theirs or z_test(counts)
            ours = ours or is_harm(counts, len(steps))
    return ours, theirs


def false_rollbacks(runs: int) -> Iterator[str]:
    """A table of the share of canaries that are rolled back although the version does no harm."""
    yield "| trouble | requests a second | canaries | rolled back | by the z test |\n|---|---|---|---|---|"
    for rate in (1.0, 0.05):
        for setting in SETTINGS:
            rng = np.random.default_rng(1)
            found = np.array([rolled_back(rng, rate, setting) for _ in range(runs)]).mean(axis=0)
            yield f"| {setting} | {rate:g} | {runs} | {found[0]:.2%} | {found[1]:.1%} |"


def delay(rng: np.random.Generator, rate: float, share: float, failing: float, *, keys: bool) -> float:
    """Minutes of counts until a version that fails a share of its requests is rolled back; at most a day.

    With ``keys`` each request is of a unit of its own.
    """
    made = step(rng, rate, share, DAY, "none")
    arm, cluster, asked = made.arm, made.cluster, len(made.minute)
    if keys:
        arm, cluster = (rng.random(asked) < share).astype(np.int64), rng.integers(0, CLUSTERS, asked)
    trouble = np.zeros((FIGURES, asked), dtype=bool)
    trouble[0] = rng.random(asked) < np.where(arm == 1, failing, 0.001)
    made = Step(made.minute, arm, cluster, trouble, DAY)
    often = sorted({*range(1, 31), *range(35, 121, 5), *range(150, DAY + 1, 90)})
    harmful = (at for at, counts in zip(often, made.seen(often), strict=True) if is_harm(counts, 3))
    return float(next(harmful, math.inf))


def delays(runs: int) -> Iterator[str]:
    """A table of the minutes until harm is found: the median, and nine of ten."""
    yield "| units | requests a second | share | fails 100 % | 20 % | 5 % |\n|---|---|---|---|---|---|"
    for keys in (True, False):
        for rate in (1.0, 10.0):
            for share in (0.01, 0.1, 0.5):
                cells = [_delays(runs, rate, share, failing, keys=keys) for failing in (1.0, 0.2, 0.05)]
                units = "a new one each request" if keys else f"{UNITS:,}, some busy"
                yield f"| {units} | {rate:g} | {share:.0%} | {' | '.join(cells)} |"


def _delays(runs: int, rate: float, share: float, failing: float, *, keys: bool) -> str:
    rng = np.random.default_rng(2)
    found = np.array([delay(rng, rate, share, failing, keys=keys) for _ in range(runs)])
    half, most = (float(np.quantile(found, q, method="higher")) for q in (0.5, 0.9))
    return f"{_minutes(half)} / {_minutes(most)}"


def _minutes(value: float) -> str:
    return "over a day" if math.isinf(value) else f"{value:g}"


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", choices=["false_rollbacks", "delays"])
    parser.add_argument("--runs", type=int, default=50)
    arguments = parser.parse_args()
    tables = {"false_rollbacks": false_rollbacks, "delays": delays}
    for line in tables[arguments.table](arguments.runs):
        print(line, flush=True)


if __name__ == "__main__":
    main()
