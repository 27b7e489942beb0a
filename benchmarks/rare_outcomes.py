"""A rare outcome in a small arm: how soon do bounds of all units tell, how soon those of the units with an event?

Run: ``python -m benchmarks.rare_outcomes [--runs 2000]``. Each run is an experiment of two versions with 1,000 new
units a day for twelve weeks, looked at every day at 95 %; a unit converts or not. "All units" are the library's bounds
of means, with their two rules of small arms. "Events" are bounds of the converted units, with one prior of this weight.
"Betting" is the hedged capital of Waudby-Smith and Ramdas (JRSS-B 86, 2024) on the same coin, with a bet for each day.
"The rule" is the library's: events, with both priors, while they are rare, else all units.
"""

import argparse
import math
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from smallbox.arrays import Bools, Floats
from smallbox.release.experiment_effects import MIN_EVENTS, MIN_UNITS, RARE
from smallbox.statistics.event_split import PRIORS
from smallbox.statistics.sequences import prior_variance

A_DAY: Final = 1_000
DAYS: Final = 84
ERROR: Final = 0.05
TUNED_FOR: Final = 20_000
MOST_BET: Final = 0.5


def counts(rng: np.random.Generator, runs: int, share: float, base: float, ratio: float) -> tuple[Floats, Floats]:
    """Units and converted units of each arm so far; each runs x days x 2."""
    second = rng.binomial(A_DAY, share, (runs, DAYS))
    units = np.stack([A_DAY - second, second], axis=2)
    events = rng.binomial(units, np.array([base, base * ratio]))
    return units.cumsum(axis=1).astype(float), events.cumsum(axis=1).astype(float)


def by_all_units(units: Floats, events: Floats) -> Bools:
    """Whether the library's bounds exclude zero: runs x days."""
    mean = events / np.maximum(units, 1)
    squares = units * mean * (1 - mean)
    common = squares.sum(axis=2) / (units.sum(axis=2) - 2)
    squares = np.maximum(squares, common[:, :, None] * np.maximum(units - 1, 0))
    variance = (squares / np.maximum(units - 1, 1) / np.maximum(units, 1)).sum(axis=2)
    prior = units.sum(axis=2) * prior_variance(ERROR, TUNED_FOR)
    width = np.sqrt(2 * variance * (prior + 1) / prior * np.log(np.sqrt(prior + 1) / ERROR))
    enough = (units.min(axis=2) >= MIN_UNITS) & (events.min(axis=2) >= MIN_EVENTS)
    found: Bools = enough & (np.abs(mean[:, :, 1] - mean[:, :, 0]) > width)
    return found


_lgamma = np.vectorize(math.lgamma, otypes=[float])


def by_events(events: Floats, share: float, priors: Sequence[float]) -> Bools:
    """Whether the split of the events excludes the declared one: the mean Bayes factor of Beta priors around it."""
    factors = np.logaddexp.reduce([_log_factor(events, share, prior) for prior in priors], axis=0)
    found: Bools = factors - math.log(len(priors)) >= math.log(1 / ERROR)
    return found


def _log_factor(events: Floats, share: float, prior: float) -> Floats:
    a, b = prior * share, prior * (1 - share)
    first, second = events[:, :, 0], events[:, :, 1]
    factor: Floats = _lgamma(a + second) + _lgamma(b + first) - _lgamma(prior + first + second)
    factor += math.lgamma(prior) - math.lgamma(a) - math.lgamma(b)
    return factor - second * math.log(share) - first * math.log(1 - share)


def betting(events: Floats, share: float) -> Bools:
    """The same by the hedged capital; the bet of a day uses the days before it."""
    daily = np.diff(events, axis=1, prepend=0.0)
    before = events.sum(axis=2) - daily.sum(axis=2) + 1
    size = np.sqrt(2 * math.log(2 / ERROR) / (share * (1 - share) * before * np.log1p(before)))
    up, down = np.minimum(size, MOST_BET / share), np.minimum(size, MOST_BET / (1 - share))
    first, second = daily[:, :, 0], daily[:, :, 1]
    rise = (second * np.log1p(up * (1 - share)) + first * np.log1p(-up * share)).cumsum(axis=1)
    fall = (second * np.log1p(-down * (1 - share)) + first * np.log1p(down * share)).cumsum(axis=1)
    found: Bools = np.maximum(rise, fall) - math.log(2) >= math.log(1 / ERROR)
    return found


def _told(excluded: Bools) -> str:
    """The share of the runs that told, and the day by which half had."""
    day = np.where(excluded.any(axis=1), excluded.argmax(axis=1) + 1, np.inf)
    half = float(np.quantile(day, 0.5, method="higher"))
    return f"{np.isfinite(day).mean():.1%}" + (f", day {half:.0f}" if math.isfinite(half) else "")


def by_rule(units: Floats, events: Floats, share: float) -> Bools:
    """What the library's bounds exclude."""
    is_rare = events.sum(axis=2) <= RARE * units.sum(axis=2)
    has_units = units.min(axis=2) >= MIN_UNITS
    return np.where(is_rare, by_events(events, share, PRIORS) & has_units, by_all_units(units, events))


def table(runs: int) -> Iterator[str]:
    """A row for each share, base rate and true ratio of the rates; equal versions first."""
    names = ["all units", "the rule", *(f"events, {prior:g}" for prior in PRIORS), "betting"]
    yield f"| share of version 2 | first converts | ratio | {' | '.join(names)} |\n|{'---|' * (3 + len(names))}"
    for share in (0.5, 0.1, 0.02):
        for base in (0.05, 0.02, 0.005, 0.001):
            for ratio in (1.0, 1.2, 2.0, 5.0, 0.5):
                units, events = counts(np.random.default_rng(1), runs, share, base, ratio)
                found = [by_all_units(units, events), by_rule(units, events, share)]
                found += [*(by_events(events, share, [prior]) for prior in PRIORS), betting(events, share)]
                yield f"| {share:.0%} | {base:.1%} | {ratio:g} | {' | '.join(_told(one) for one in found)} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=2_000)
    for line in table(parser.parse_args().runs):
        print(line, flush=True)


if __name__ == "__main__":
    main()
