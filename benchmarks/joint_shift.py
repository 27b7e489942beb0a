"""How often the weekly joint check names a shift where there is none, and how often it finds one.

Run: ``python -m benchmarks.joint_shift [runs]``. Each run is one weekly check: six weeks of days before, and one week.
Inputs are numbers whose levels differ from day to day, with a memory of the day before as the case says, and one text.
A shift begins with the last week. The check states one false finding in as many checks as there are days, 49: 2.0 %.
"Single columns" is, on the same days, whether the mean of any input differs, by days that count as independent, at
2.0 % over all inputs together. Weeks without a shift are run ten times as often, with few rows a day: days count.
"""

import sys
from dataclasses import dataclass

import numpy as np

from smallbox.arrays import Floats
from smallbox.monitoring.day_changes import day_change, day_means
from smallbox.monitoring.joint_features import joint_features
from smallbox.monitoring.observed_rows import ObservedRows
from smallbox.statistics.joint_shift import JointShift, joint_shift

BEFORE, WEEK = 42, 7


@dataclass(frozen=True)
class Case:
    """What is simulated.

    Attributes:
        name: the shift, for the table.
        inputs: how many numbers.
        rows: a day.
        memory: how much of a day's level stays on the next day.
        shift: of the first input, in standard deviations of its rows.
        flips: whether the correlation of the first two inputs, one half, changes its sign.
        tilted: the shift of ten inputs, or all, in standard deviations.
    """

    name: str
    inputs: int = 10
    rows: int = 100
    memory: float = 0.0
    shift: float = 0.0
    flips: bool = False
    tilted: float = 0.0


def levels(random: np.random.Generator, case: Case) -> Floats:
    """The level of each input on each day."""
    found = np.zeros((BEFORE + WEEK, case.inputs))
    fresh = random.normal(0, 0.2, found.shape)
    for day in range(len(found)):
        kept = case.memory * found[day - 1] if day else fresh[day] * 0
        found[day] = kept + fresh[day] * (1 - case.memory**2) ** (0.5 if day else 0)
    return found


def drawn(random: np.random.Generator, case: Case) -> ObservedRows:
    """The rows of 49 days."""
    days = np.repeat(np.arange(BEFORE + WEEK), case.rows)
    is_new = days >= BEFORE
    values = random.normal(size=(len(days), case.inputs))
    sign = np.where(is_new & case.flips, -0.5, 0.5)
    values[:, 1] = sign * values[:, 0] + 0.75**0.5 * values[:, 1]
    values += levels(random, case)[days]
    values[is_new, 0] += case.shift
    values[is_new, :10] += case.tilted
    inputs = {f"x{n}": values[:, n] for n in range(case.inputs)}
    inputs["place"] = np.array(["a", "b", "c"], object)[random.integers(0, 3, len(days))]
    return ObservedRows(days, inputs, np.zeros((len(days), 1)), np.full(len(days), np.nan))


def single(rows: ObservedRows, error: float) -> bool:
    """Whether any input alone has moved."""
    numbers = [values for values in rows.inputs.values() if values.dtype != object]
    new = rows.days >= BEFORE
    return any(
        day_change(day_means(one[~new], rows.days[~new]), day_means(one[new], rows.days[new]), error).is_certain
        for one in (values.astype(float) for values in numbers)
    )


def row(case: Case, runs: int) -> str:
    """A row of the table."""
    found: list[JointShift] = []
    alone = 0
    for seed in range(runs):
        rows = drawn(np.random.default_rng(seed), case)
        one = joint_shift(*joint_features(rows, rows.days < BEFORE), rows.days, BEFORE)
        found += [one] if one else []
        alone += single(rows, 1 / (BEFORE + WEEK) / case.inputs)
    certain = [one for one in found if one.is_certain]
    carried = np.mean([one.carriers[0][0] in {"x0", "x0 with x1"} for one in certain]) if certain else 0.0
    auc = np.median([one.auc for one in found])
    share = len(certain) / runs
    head = f"| {case.name} | {case.inputs} | {case.rows} | {case.memory} | {share:.1%} | {alone / runs:.1%}"
    return f"{head} | {auc:.3f} | {carried:.0%} |"


def main(runs: int) -> None:
    """Print the table."""
    print("| shift | inputs | rows a day | memory | found | single columns | median AUC | right carrier first |")
    print("|---|---|---|---|---|---|---|---|")
    for inputs in (5, 15):
        for memory in (0.0, 0.6, 0.8):
            print(row(Case("none", inputs, 20, memory), 10 * runs), flush=True)
    for memory in (0.0, 0.6):
        print(row(Case("one input by 0.25 sd", memory=memory, shift=0.25), runs), flush=True)
        print(row(Case("one input by 0.5 sd", memory=memory, shift=0.5), runs), flush=True)
        print(row(Case("ten inputs by 0.15 sd", memory=memory, tilted=0.15), runs), flush=True)
        print(row(Case("correlation flipped", memory=memory, flips=True), runs), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
