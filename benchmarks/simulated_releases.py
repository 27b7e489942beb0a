"""Simulated releases, many at once: days of paired rows and of two arms, and the rules that judge them.

Used by `benchmarks.release_simulations`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final, Literal

import numpy as np

from smallbox.arrays import Floats
from smallbox.define.release_rules import Shadow
from smallbox.release.shadow_verdict import judge_shadow
from smallbox.statistics.paired_days import PairedDay, neighbour_factors
from smallbox.statistics.sequences import sequence_width

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
class Runs:
    """The days of many releases, ``(r, d)`` each.

    Attributes:
        rows: of each day.
        champion: the champion's mean loss.
        difference: the mean difference of loss on the same rows.
        arms: the difference of the means of two arms of half the rows each.
        before: the same with 80 and 20 % of the rows, adjusted for the baseline's loss.
        figure: a covariate of the day with R2 .6.
    """

    rows: int
    champion: Floats
    difference: Floats
    arms: Floats
    before: Floats
    figure: Floats

    def paired(self, run: int) -> list[PairedDay]:
        """The records of the days of a release."""
        champion, difference = self.champion[run], self.difference[run]
        squares = self.rows * (ROW_DIFFERENCE**2 + difference**2)
        figures = zip(self.rows * champion, self.rows * (champion + difference), squares, strict=True)
        return [PairedDay(day, self.rows, *(float(one) for one in own)) for day, own in enumerate(figures)]


def runs_of(world: World, count: int, seed: int) -> Runs:
    """Draw releases."""
    random = np.random.default_rng(seed)
    spread = math.sqrt((world.design_effect - 1) / MEASURED_ROWS) * ROW_DIFFERENCE
    level = LOSS + DAY_LOSS * effects(random, world.alike, count, skewed=False)
    true = world.increase * LOSS + spread * effects(random, world.alike, count, skewed=world.skewed)
    by_rows = [random.normal(size=(count, DAYS)) / math.sqrt(world.rows) for _ in range(4)]
    shares = SHARE_BEFORE * (1 - SHARE_BEFORE)
    difference = true + ROW_DIFFERENCE * by_rows[1]
    noise = math.sqrt(0.4 / 0.6) * math.sqrt(spread**2 + ROW_DIFFERENCE**2 / world.rows)
    return Runs(
        world.rows,
        level + ROW_LOSS * by_rows[0],
        difference,
        true + 2 * ROW_LOSS * by_rows[2],
        true + ROW_LOSS * math.sqrt((1 - BASELINE_R2) / shares) * by_rows[3],
        difference + noise * random.normal(size=(count, DAYS)),
    )


def effects(random: np.random.Generator, alike: float, count: int, *, skewed: bool) -> Floats:
    """``(r, d)`` effects of days with variance 1: a first-order autoregression."""
    own = random.normal(size=(count, DAYS + 20))
    if skewed:
        width = 0.3142
        scale = math.sqrt((math.exp(width**2) - 1) * math.exp(width**2))
        own = (np.exp(width * own) - math.exp(width**2 / 2)) / scale
    for day in range(1, own.shape[1]):
        own[:, day] = alike * own[:, day - 1] + math.sqrt(1 - alike**2) * own[:, day]
    return own[:, -DAYS:]


def widths(values: Floats, error: float, *, alike: bool) -> Floats:
    """``(r,)`` the widths of `day_sequence`, or without correlation of `ratio_sequence`, of ``(r, n)`` days."""
    days = values.shape[1]
    left = values - values.mean(axis=1, keepdims=True)
    factors = neighbour_factors(left) if alike else 1.0
    errors = np.sqrt((left**2).sum(axis=1) / (days - 1) / days * factors)
    away = sequence_width(1.0, days, error, DAYS // 2)
    return np.asarray(errors * away if math.isfinite(away) else np.full(len(values), math.inf))


def first_verdicts(low: Floats, high: Floats, better: Floats) -> list[tuple[Verdict, int]]:
    """The first verdict of each release, and its day.

    Args:
        low: ``(r, looks)`` the lower bound of what lies above the margin.
        high: ``(r, looks)`` the upper one.
        better: ``(r, looks)`` the upper bound of the difference.
    """
    looks = np.arange(FIRST_LOOK, DAYS + 1)
    late = looks >= DAYS // 2
    stops, climbs, is_better = low > 0, (high < 0) & late, (better < 0) & late
    ended = stops | climbs | is_better
    first = np.where(ended.any(axis=1), ended.argmax(axis=1), -1)
    found: list[tuple[Verdict, int]] = []
    for run, at in enumerate(first.tolist()):
        if at < 0:
            found.append(("cannot_tell", DAYS))
        else:
            climbed: Verdict = "better" if is_better[run, at] else "not_worse"
            found.append(("worse" if stops[run, at] else climbed, int(looks[at])))
    return found


def sequential(difference: Floats, over_margin: Floats) -> list[tuple[Verdict, int]]:
    """The first verdicts by the sequences of days."""
    bounds = []
    for seen in range(FIRST_LOOK, DAYS + 1):
        over, plain = over_margin[:, :seen], difference[:, :seen]
        width = widths(over, 0.1, alike=True)
        upper = plain.mean(axis=1) + widths(plain, 0.1, alike=True)
        bounds.append((over.mean(axis=1) - width, over.mean(axis=1) + width, upper))
    low, high, better = (np.array(one).T for one in zip(*bounds, strict=True))
    return first_verdicts(low, high, better)


def shadow(runs: Runs, margin: float) -> list[tuple[Verdict, int]]:
    """The first verdicts of the shadow."""
    return sequential(runs.difference, runs.difference - margin * runs.champion)


def judged(runs: Runs, run: int, margin: float) -> tuple[Verdict, int]:
    """The same of one release, by `judge_shadow` itself."""
    rule, days = Shadow(max_loss_increase=margin, max_days=DAYS), runs.paired(run)
    for seen in range(FIRST_LOOK, DAYS + 1):
        action = judge_shadow(rule, days[:seen], seen).action
        if action != "wait":
            return action, seen
    return "cannot_tell", DAYS


def two_arms(runs: Runs, margin: float) -> list[tuple[Verdict, int]]:
    """The first verdicts by two arms."""
    return sequential(runs.arms, runs.arms - margin * LOSS)


def rule_before(runs: Runs, margin: float) -> list[tuple[Verdict, int]]:
    """The first verdicts of the canary of the release before: a copy of its rule."""
    days = np.arange(1, DAYS + 1)
    quantiles = [NormalDist().inv_cdf(1 - (0.025 if day == DAYS else 0.025 / (DAYS - 2))) for day in days]
    shares = SHARE_BEFORE * (1 - SHARE_BEFORE)
    width = np.array(quantiles) * ROW_LOSS * np.sqrt((1 - BASELINE_R2) / (shares * runs.rows * days))
    increase = runs.before.cumsum(axis=1) / days
    found: list[tuple[Verdict, int]] = []
    for own in increase:
        at = int((np.abs(own) > width).argmax())
        if abs(own[at]) > width[at]:
            found.append(("worse" if own[at] > 0 else "better", at + 1))
        else:
            found.append(("not_worse" if own[-1] + width[-1] < margin * LOSS else "cannot_tell", DAYS))
    return found


RULES: Final[dict[str, Callable[[Runs, float], list[tuple[Verdict, int]]]]] = {
    "shadow": shadow,
    "two arms": two_arms,
    "rule before": rule_before,
}
