"""Units of simulated experiments, for ``experiment_simulations.py``: many experiments at once, a day at a time."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from smallbox.arrays import Floats
from smallbox.define.experiments import Experiment, Outcome
from smallbox.registry.routing import RunningExperiment
from smallbox.release.experiment_look import no_sums
from smallbox.release.experiment_record import ExperimentRecord
from smallbox.release.experiment_sums import OutcomeSums
from smallbox.statistics.arm_sequences import ArmMoments
from smallbox.times import DAY

DAYS: Final = 56
A_DAY: Final = 1_000
VERSIONS: Final = (1, 2)
MEASURED: Final = Experiment(Outcome("orders", "amount", "customer", "unit", "1d"), covariate="before", max_days=DAYS)
NAME: Final = MEASURED.outcome.name


@dataclass(frozen=True, slots=True)
class Units:
    """The units of a day, a row for each experiment.

    Attributes:
        outcomes: the sum of each unit, as version 1 would give it.
        sizes: how many predictions each unit has.
        covariates: what is known before; 0 where nothing is.
    """

    outcomes: Floats
    sizes: Floats
    covariates: Floats


Draw = Callable[[np.random.Generator, tuple[int, int]], Units]


def _plain(outcomes: Any) -> Units:
    return Units(outcomes * 1.0, np.ones(outcomes.shape), np.zeros(outcomes.shape))


def normal(rng: np.random.Generator, shape: tuple[int, int]) -> Units:
    """Mean 10, standard deviation 5, half of the variance explained by the covariate."""
    explained = rng.normal(0, math.sqrt(12.5), shape)
    return Units(10 + explained + rng.normal(0, math.sqrt(12.5), shape), np.ones(shape), explained)


def heavy(rng: np.random.Generator, shape: tuple[int, int]) -> Units:
    """10 % of the units order, for log-normal sums."""
    buys = rng.random(shape) < 0.1
    outcomes = np.zeros(shape)
    outcomes[buys] = rng.lognormal(2, 1.2, int(buys.sum()))
    return _plain(outcomes)


def clustered(rng: np.random.Generator, shape: tuple[int, int]) -> Units:
    """Ten predictions a unit on average, whose outcomes share the unit's own level."""
    sizes = rng.geometric(0.1, shape).astype(np.float64)
    outcomes = sizes * rng.normal(1, 1, shape) + rng.normal(0, 1, shape) * np.sqrt(sizes)
    return Units(outcomes, sizes, np.zeros(shape))


KINDS: Final[Mapping[str, Draw]] = {
    "normal": normal,
    "5 % convert": lambda rng, shape: _plain(rng.random(shape) < 0.05),
    "0.5 % convert": lambda rng, shape: _plain(rng.random(shape) < 0.005),
    "heavy tail": heavy,
    "ten predictions a unit": clustered,
    "days move": lambda rng, shape: _plain(rng.normal(10 + rng.normal(size=(shape[0], 1)), 5, shape)),
}
"""Of "days move", the mean of a day moves by a fifth of a unit's standard deviation, for both versions."""


def mean_of(draw: Draw) -> float:
    """The mean outcome of version 1."""
    return float(draw(np.random.default_rng(1), (2_000, 1_000)).outcomes.mean())


@dataclass(frozen=True, slots=True)
class Setting:
    """One cell of a table.

    Attributes:
        draw: the units.
        gain: the true effect of version 2, by unit.
        weight: the share of version 2.
        cuped: whether the covariate is used.
        tuned_for: at how many units the bounds are narrowest.
        by_prediction: whether each prediction is taken for a unit, with the mean outcome of its unit.
    """

    draw: Draw
    gain: float = 0.0
    weight: float = 0.5
    cuped: bool = False
    tuned_for: int = 20_000
    by_prediction: bool = False


def days_of(rng: np.random.Generator, setting: Setting, runs: int) -> Iterator[list[ExperimentRecord]]:
    """The records of all experiments after each day."""
    sums = _Sums(runs, setting)
    if setting.cuped:
        sums.learn(setting.draw(rng, (runs, 4 * A_DAY)))  # what a plan knows
    weights = ((1, 1 - setting.weight), (2, setting.weight))
    running = RunningExperiment("simulated", "ab", weights)
    empty = no_sums(MEASURED, 0, {})
    record = ExperimentRecord(running, MEASURED, "running", "", "", {}, setting.tuned_for, empty)
    for day in range(1, DAYS + 1):
        sums.add(setting.draw(rng, (runs, A_DAY)), rng.random((runs, A_DAY)) < setting.weight)
        found = (sums.of(run, day * DAY) for run in range(runs))
        yield [replace(record, sums=replace(empty, as_of=day * DAY, outcomes={NAME: one})) for one in found]


class _Sums:
    """The moments of all experiments; those of the parts are added as :class:`ArmMoments` adds them."""

    def __init__(self, runs: int, setting: Setting) -> None:
        self._setting = setting
        self._known = np.zeros((5, runs))  # units, x, y, xx, xy
        self._arms = np.zeros((2, 6, runs))  # units, sum, squares, adjusted sum, adjusted squares, events

    def learn(self, units: Units) -> None:
        x, y = units.covariates, units.outcomes
        self._known += np.array([np.full(len(x), x.shape[1]), *(one.sum(axis=1) for one in (x, y, x * x, x * y))])

    def add(self, units: Units, is_second: Any) -> None:
        gained = units.outcomes + is_second * self._setting.gain
        each, weight = gained, np.ones(gained.shape)
        if self._setting.by_prediction:
            each, weight = gained / units.sizes, units.sizes
        adjusted = each - self._slope()[:, None] * (units.covariates - self._mean_covariate()[:, None])
        for arm, is_own in enumerate((~is_second, is_second)):
            own = is_own * weight
            parts = (own, own * each, own * each**2, own * adjusted, own * adjusted**2, is_own * (gained != 0))
            self._arms[arm] += np.array([part.sum(axis=1) for part in parts])
        if self._setting.cuped:
            self.learn(Units(gained, units.sizes, units.covariates))

    def _slope(self) -> Floats:
        n, x, y, xx, xy = self._known
        found: Floats = (xy - x * y / np.maximum(n, 1)) / np.where(n > 0, xx - x * x / np.maximum(n, 1), 1)
        return found

    def _mean_covariate(self) -> Floats:
        found: Floats = self._known[1] / np.maximum(self._known[0], 1)
        return found

    def of(self, run: int, until: int) -> OutcomeSums:
        """The sums of one experiment."""
        rows = self._arms[:, :, run].tolist()
        plain = {version: _moments(row[0], *row[1:3]) for version, row in zip(VERSIONS, rows, strict=True)}
        adjusted = {version: _moments(row[0], *row[3:5]) for version, row in zip(VERSIONS, rows, strict=True)}
        events = {version: int(row[5]) for version, row in zip(VERSIONS, rows, strict=True)}
        return OutcomeSums(until, plain, adjusted, events)


def _moments(units: float, total: float, squares: float) -> ArmMoments:
    mean = total / max(units, 1)
    return ArmMoments(int(units), mean, max(squares - units * mean**2, 0.0))
