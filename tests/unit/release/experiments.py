"""Records of experiments to judge: sums that were drawn, without a lake."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from smallbox.arrays import Floats
from smallbox.define.experiments import Experiment, GuardrailOutcome, Outcome
from smallbox.registry.routing import RunningExperiment
from smallbox.release.experiment_look import no_sums
from smallbox.release.experiment_record import ExperimentRecord
from smallbox.release.experiment_sums import RatioCheck
from smallbox.times import DAY

AMOUNT = Outcome("orders", "amount", "customer", "unit", "1d")
RETURNS = Outcome("orders", "returns", "customer", "unit", "1d", "lower")


def experiment(**settings: Any) -> Experiment:
    """An experiment with one outcome, and these settings."""
    return Experiment(AMOUNT, **settings)


def guarded(worst: float = 0.05) -> Experiment:
    """One with a guardrail, returns, that is better when lower."""
    return Experiment(AMOUNT, (GuardrailOutcome(RETURNS, worst),))


def record_of(
    means: Sequence[float],
    units: int = 5_000,
    returns: Sequence[float] = (),
    measured: Experiment | None = None,
    deviation: float = 5.0,
) -> ExperimentRecord:
    """The record of versions with these means, each of as many units; versions count from 1."""
    measured = experiment() if measured is None else measured
    versions = range(1, len(means) + 1)
    running = RunningExperiment("e", "ab", tuple((version, 1 / len(means)) for version in versions))
    random, sums = np.random.default_rng(5), no_sums(measured, 0, {})
    for outcome, values in ((AMOUNT, means), (RETURNS, returns)):
        for version, mean in zip(versions, values, strict=False):
            drawn = exactly(random.normal(size=units), mean, deviation)
            who, nothing = np.full(units, version), np.full(units, np.nan)
            own = sums.outcomes[outcome.name].with_units(who, drawn, nothing, 9 * DAY)
            sums = replace(sums, outcomes={**sums.outcomes, outcome.name: own})
    counts = dict.fromkeys(versions, units)
    sums = replace(sums, as_of=10 * DAY, ratios=dict.fromkeys(sums.ratios, RatioCheck(counts)))
    return ExperimentRecord(running, measured, "running", "ada", "a test", {}, 2 * units, sums)


def exactly(values: Floats, mean: float, deviation: float) -> Floats:
    """Values with exactly this mean and standard deviation."""
    found: Floats = (values - values.mean()) / values.std(ddof=1) * deviation + mean
    return found
