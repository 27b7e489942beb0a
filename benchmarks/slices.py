"""How often the check of slices rings by chance, and how soon it finds a slice that fails.

Run: ``python -m benchmarks.slices [runs]``. Each run is a year of days of rows with three text inputs of six values,
so 18 slices; the streams are those of the check: the label numbers, then the loss of each slice above that of the other
rows. The budget is one false alarm in 90 days, about four a year, for all alarms of a detector together. "Days"
differ as the case says, in log-odds of the label: alike for all rows, or for each slice by itself with a memory of one
half of the day before.
A failure begins on day 120 in one slice with a sixth of the rows: their labels turn towards the other class. "Mean
loss" is the check without slices, on the same rows.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from smallbox.arrays import Floats, Ints
from smallbox.monitoring.judged_streams import judged_streams
from smallbox.monitoring.label_numbers import label_numbers
from smallbox.monitoring.slice_figures import SlicedRows
from smallbox.monitoring.stream_weights import stream_weights
from smallbox.objectives.binary import Binary
from smallbox.objectives.objective import Scored
from smallbox.statistics.change_detector import DayVerdict
from smallbox.statistics.day_streams import DayValue, day_streams

YEAR = 365
BEGINS = 120
COLUMNS, VALUES = 3, 6
FAILING = "c0=v0"


@dataclass(frozen=True)
class Case:
    """Days of rows; ``rise`` is added to the log-odds of the other class in one slice."""

    name: str
    rows: int
    common: float = 0.0
    own: float = 0.0
    rise: float = 0.0
    days: int = YEAR


@dataclass(frozen=True)
class Newest:
    """What the label numbers read of a judged day."""

    objective: Binary
    scored: Scored


def levels(random: np.random.Generator, case: Case) -> Floats:
    """The log-odds of each day and value of the first column, of which the model knows nothing."""
    found = np.zeros((case.days, VALUES))
    for day in range(1, case.days):
        found[day] = 0.5 * found[day - 1] + random.normal(0, case.own * 0.75**0.5, VALUES)
    return found + random.normal(0, case.common, (case.days, 1))


def numbers_of(random: np.random.Generator, case: Case, day: int, level: Floats) -> Mapping[str, DayValue]:
    """The numbers of one day, by the code of the check."""
    values: Ints = random.integers(0, VALUES, (COLUMNS, case.rows))
    odds = random.normal(-1, 1, case.rows)
    moved = odds + level[values[0]]
    moved = np.where((values[0] == 0) & (day >= BEGINS), moved * (1 - case.rise), moved)
    labels = (random.random(case.rows) < 1 / (1 + np.exp(-moved))).astype(float)
    scored = Scored((1 / (1 + np.exp(-odds)))[:, None], labels, np.zeros(case.rows, np.int64))
    masks = {f"c{c}=v{v}": values[c] == v for c in range(COLUMNS) for v in range(VALUES)}
    newest: Any = Newest(Binary(), scored)
    sliced = SlicedRows(Binary(), scored, np.full(case.rows, day), masks)
    return {**label_numbers(newest), **sliced.numbers(day)}


def verdicts(seed: int, case: Case) -> tuple[list[DayVerdict], list[DayVerdict]]:
    """The verdicts of a run with slices, and without."""
    random = np.random.default_rng(seed)
    level = levels(random, case)
    days = {day: numbers_of(random, case, day, level[day]) for day in range(case.days)}
    without = {day: {name: one for name, one in found.items() if "=" not in name} for day, found in days.items()}
    return judged_days(days), judged_days(without)


def judged_days(days: Mapping[int, Mapping[str, DayValue]]) -> list[DayVerdict]:
    """The verdict of each day with the weights and the budget of the check, for inputs without importance."""
    streams = day_streams(days)
    return judged_streams(replace(streams, weights=stream_weights(streams.names, {})), 90.0)


def delay(found: list[DayVerdict], name: str) -> int | None:
    """Days from the begin of a failure to the first alarm that names a stream as worse."""
    named = [one.day for one in found if any(moved.name == name and moved.raw > 0 for moved in one.moved)]
    return next((day - BEGINS + 1 for day in named if day >= BEGINS), None)


def quiet(case: Case, runs: int) -> str:
    """A row of the first table."""
    both = [verdicts(seed, case) for seed in range(runs)]
    a_year = [sum(one.is_alarm for run in both for one in run[which]) / runs for which in (0, 1)]
    worse = [m for run, _ in both for one in run for m in one.moved if "=" in m.name and m.raw > 0]
    return f"| {case.name} | {case.rows} | {a_year[0]:.2f} | {len(worse) / runs:.2f} | {a_year[1]:.2f} |"


def failing(case: Case, runs: int) -> str:
    """A row of the second table."""
    both = [verdicts(seed, case) for seed in range(runs)]
    ours = [delay(run, f"loss:{FAILING}") for run, _ in both]
    plain = [delay(run, "loss:mean") for _, run in both]
    wrong = [
        m.name for run, _ in both for one in run if one.day >= BEGINS for m in one.moved if "=" in m.name and m.raw > 0
    ]
    others = sum(name != f"loss:{FAILING}" for name in wrong) / runs
    return f"| {case.name} | {case.rows} | {case.rise:.0%} | {told(ours)} | {told(plain)} | {others:.2f} |"


def told(delays: list[int | None]) -> str:
    """The share that was found within 60 days, and the median delay of these."""
    found = [one for one in delays if one is not None]
    return f"{len(found) / len(delays):.0%}, {np.median(found):.0f}" if found else "0 %, -"


def main(runs: int) -> None:
    """Print both tables."""
    print("| days | rows a day | alarms a year | slices named worse a year | alarms a year without slices |")
    print("|---|---|---|---|---|")
    for rows in (500, 3000):
        for case in (Case("alike", rows), Case("differ", rows, common=0.3), Case("differ by slice", rows, 0.3, 0.2)):
            print(quiet(case, runs), flush=True)
    print("\n| days | rows a day | turned | slice found, days | mean loss found, days | other slices named |")
    print("|---|---|---|---|---|---|")
    for rows in (500, 3000):
        for rise in (0.25, 0.5, 1.0):
            case = Case("differ by slice", rows, 0.3, 0.2, rise, BEGINS + 60)
            print(failing(case, runs), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
