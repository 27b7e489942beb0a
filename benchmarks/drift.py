"""False alarms, power and delay of the detector of lasting changes, beside the rules people use, on the same days.

Run: ``python benchmarks/drift.py [--runs 40] [TABLE ...]``, see :func:`main` for the names of the tables.
The budget is one false alarm in 90 days: 4.06 a year. A day's counts by bin are drawn directly (``drift_days.py``),
which is exact for independent rows. History is 56 days, then 365 days without a change for false alarms, or 60 without
and 30 with one for power. An alarm of another rule is the first of days that ring in a row. 70 % of the columns are
numeric, 30 % text with six categories; beside them are a label's rate, a loss, and a pair of columns. Streams are
weighted as the daily check does: all columns alike, in "weighted" one input with half of the importance. A day's own
mean moves by .05 standard deviations of the rows except with "iid".
"""

import argparse
from collections.abc import Iterator, Sequence
from itertools import product
from statistics import median
from typing import Final, get_args

import numpy as np

from benchmarks.drift_days import REFERENCE, YEAR, Change, Setting, others, simulate, streams
from smallbox.arrays import Bools
from smallbox.statistics.change_detector import DetectorRule, detect

CHANGED: Final = REFERENCE + 60
CHANGES: Final = (
    Change("0.1 sd in one column", mean=0.1),
    Change("0.25 sd", mean=0.25),
    Change("0.5 sd", mean=0.5),
    Change("+5 points of a category", category=0.05),
    Change("missing +2 points", missing=0.02),
    Change("scale x 1.2", scale=1.2),
    Change("correlation .5 to -.5", correlation=-1.0),
    Change("label rate .20 to .25", prior=0.05),
    Change("loss .40 to .45", loss=0.05),
    Change("1 sd on one day only", mean=1.0, lasts=1),
)
OURS: Final = "Smallbox"


def rings(
    rng: np.random.Generator, features: int, rows: int, days: int, setting: Setting, change: Change
) -> dict[str, Bools]:
    """By rule the days that ring."""
    seen = simulate(rng, features, rows, days, setting, change)
    ours = np.array([one.is_alarm for one in detect(streams(seen), DetectorRule())])
    return {OURS: ours} | others(seen, features)


def alarms(rung: Bools) -> int:
    """Rings after the reference; those of days in a row are one."""
    watched = rung[REFERENCE:].astype(int)
    return int((np.diff(watched, prepend=0) == 1).sum())


def false_alarms(
    runs: int, cells: Sequence[tuple[int, int, Setting]], *, peers: bool, share: float = 0.0
) -> Iterator[str]:
    """Alarms a year without a change; ``share`` is the importance of one column."""
    for features, rows, setting in cells:
        rng = np.random.default_rng(features * 1_000_003 + rows)
        found: dict[str, list[int]] = {}
        for _ in range(runs):
            if peers:
                rung = rings(rng, features, rows, REFERENCE + YEAR, setting, Change())
            else:
                seen = streams(simulate(rng, features, rows, REFERENCE + YEAR, setting), share)
                rung = {OURS: np.array([one.is_alarm for one in detect(seen, DetectorRule())])}
            for rule, days in rung.items():
                found.setdefault(rule, []).append(alarms(days))
        for rule, counts in found.items():
            error = float(np.std(counts)) / len(counts) ** 0.5
            yield f"| {setting} | {rows:,} | {features} | {rule} | {np.mean(counts):.2f} | {error:.2f} |"


def power(runs: int, rows: int, features: int, setting: Setting) -> Iterator[str]:
    """How often a change is found, and after how many days; a change that rang before by chance is not left away."""
    for change in CHANGES:
        rng = np.random.default_rng(rows + features)
        at = Change(**{**change.__dict__, "day": CHANGED})
        delays: dict[str, list[float]] = {}
        for _ in range(runs):
            for rule, rung in rings(rng, features, rows, CHANGED + 30, setting, at).items():
                found = np.flatnonzero(rung[CHANGED:])
                delays.setdefault(rule, []).append(float(found[0]) + 1 if len(found) else float("inf"))
        for rule, days in delays.items():
            week, month = (np.mean([one <= limit for one in days]) for limit in (7, 30))
            yield f"| {setting} | {rows:,} | {change.name} | {rule} | {week:.2f} | {month:.2f} | {median(days):g} |"


def importance(runs: int, rows: int, features: int) -> Iterator[str]:
    """How soon a small shift of the first column is found, by that column's share of the importance."""
    for size, share in product((0.1, 0.15), (0.0, 0.5, 0.9)):
        rng, delays = np.random.default_rng(rows + features), list[float]()
        for _ in range(runs):
            seen = simulate(rng, features, rows, CHANGED + 30, "AR(1)", Change(mean=size, day=CHANGED))
            rung = [at for at, one in enumerate(detect(streams(seen, share))) if one.is_alarm and at >= CHANGED]
            delays.append(rung[0] - CHANGED + 1 if rung else float("inf"))
        week, month = (np.mean([one <= limit for one in delays]) for limit in (7, 30))
        yield f"| {features} | {size} | {share or 'all alike'} | {week:.2f} | {month:.2f} | {median(delays):g} |"


def seasons(runs: int, rows: int, features: int) -> Iterator[str]:
    """Alarms of the first and of the second year where all columns swing with the year, and where none does."""
    for setting in ("AR(1)", "season"):
        rng, found = np.random.default_rng(rows + features), list[tuple[int, int, int]]()
        for _ in range(runs):
            verdicts = detect(streams(simulate(rng, features, rows, REFERENCE + 2 * YEAR, setting)))
            first, second = verdicts[REFERENCE : REFERENCE + YEAR], verdicts[REFERENCE + YEAR :]
            silenced = sum(bool(one.seasonal) for one in second)
            found.append((sum(one.is_alarm for one in first), sum(one.is_alarm for one in second), silenced))
        yield f"| {setting} | {' | '.join(f'{one:.2f}' for one in np.mean(found, axis=0))} |"


def main() -> None:
    """Print the tables that are asked for, by default all.

    They are false_alarms, weighted, peers, gaps, power, importance and season.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("tables", nargs="*")
    asked = parser.parse_args()
    tables = asked.tables or ["false_alarms", "weighted", "peers", "gaps", "power", "importance", "season"]
    cells: dict[str, list[tuple[int, int, Setting]]] = {
        "false_alarms": [
            (f, n, s) for s, n, f in product(get_args(Setting)[:3], (100, 500, 5_000, 50_000), (10, 30, 100))
        ],
        "weighted": [(f, 5_000, s) for s, f in product(get_args(Setting)[:3], (10, 30, 100))],
        "peers": [(10, 5_000, setting) for setting in get_args(Setting)[:3]],
        "gaps": [(30, 5_000, "shared AR(1)"), (30, 5_000, "rows jump"), (30, 5_000, "trend"), (30, 5_000, "one trend")],
    }
    for name in tables:
        if name == "power":
            print("| days | rows a day | change | rule | found in 7 days | in 30 days | median days |", flush=True)
            for rows, setting in ((5_000, "iid"), (5_000, "AR(1)"), (500, "iid")):
                for line in power(asked.runs, rows, 10, setting):  # type: ignore[arg-type]
                    print(line, flush=True)
        elif name == "season":
            print("| days | alarms of the first year | of the second | changes called seasonal |", flush=True)
            print("\n".join(seasons(asked.runs, 5_000, 10)), flush=True)
        elif name == "importance":
            print(
                "| columns | shift, sd | its share of the importance | in 7 days | in 30 days | median days |",
                flush=True,
            )
            for line in (line for features in (30, 100) for line in importance(asked.runs, 5_000, features)):
                print(line, flush=True)
        else:
            print("| days | rows a day | columns | rule | alarms a year | standard error |", flush=True)
            share = 0.5 if name == "weighted" else 0.0
            for line in false_alarms(asked.runs, cells[name], peers=name in {"peers", "gaps"}, share=share):
                print(line, flush=True)


if __name__ == "__main__":
    main()
