"""The plan of an experiment: how many units it needs, and when today's traffic has them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow.compute as pc

from smallbox.arrays import Floats
from smallbox.define.experiments import Experiment, Outcome
from smallbox.define.project import Project
from smallbox.errors import NotReady
from smallbox.ports import Lake
from smallbox.release.experiment_columns import UnitRequests
from smallbox.release.experiment_effects import MIN_UNITS
from smallbox.release.experiment_look import requests_for
from smallbox.release.experiment_traffic import RecentUnits, recent_units
from smallbox.release.unit_outcomes import unit_outcomes
from smallbox.statistics.covariate_adjustment import CovariateFit
from smallbox.statistics.sequences import UnitsNeeded, units_needed
from smallbox.times import DAY, Micros, day_of

Weights = Sequence[tuple[int, float]]


@dataclass(frozen=True, slots=True)
class ExperimentPlan:
    """The plan of an experiment.

    Attributes:
        document: the plan for people and for the record.
        fits: by outcome, what the recent units say of the covariate.
        tuned_for: the units of two versions that the main outcome needs.
    """

    document: Mapping[str, Any]
    fits: Mapping[str, CovariateFit]
    tuned_for: int


@dataclass(frozen=True, slots=True)
class _Needs:
    """What one outcome needs."""

    outcome: Outcome
    mean: float
    deviation: float
    fit: CovariateFit
    effect: float
    units: UnitsNeeded
    days: float
    days_at_once: float

    def as_json(self) -> dict[str, Any]:
        return {
            "outcome": self.outcome.name,
            "mean": self.mean,
            "deviation": self.deviation,
            "explained": round(self.fit.explained, 4),
            "effect": self.effect,
            "units": self.units.sequential,
            "units_at_once": self.units.at_once,
            "days": _whole(self.days),
            "days_at_once": _whole(self.days_at_once),
        }


def _whole(days: float) -> int | None:
    return math.ceil(days) if math.isfinite(days) else None


def plan_experiment(
    project: Project, lake: Lake, requests: UnitRequests, experiment: Experiment, weights: Weights, as_of: Micros
) -> ExperimentPlan:
    """Plan from the traffic and the outcomes of the last four weeks: what they read is what it costs.

    The units are those of the version that is compared with the first and has the smallest share; both together.

    Raises:
        NotReady: when it would never end, or not within ``max_days``; with the reason and the figures.
    """
    longest = max(outcome.within_micros for outcome in experiment.outcomes)
    recent = recent_units(requests, as_of, longest)
    shares = [experiment.smallest_effect, *(guardrail.worst for guardrail in experiment.guardrails)]
    found = []
    for outcome, share in zip(experiment.outcomes, shares, strict=True):
        values = _recent_outcomes(project, lake, requests, outcome, recent, as_of)
        found.append(_needs(experiment, weights, recent, outcome, values, share))
    main = found[0]
    days = max(main.days, experiment.min_days)
    if not days <= experiment.max_days:
        raise NotReady(_refusal(experiment, main), **main.as_json())
    document = {
        "outcomes": [needs.as_json() for needs in found],
        "units": main.units.sequential,
        "units_at_once": main.units.at_once,
        "days": math.ceil(days),
        "reached": day_of(as_of + math.ceil(days) * DAY),
        "reached_at_once": day_of(as_of + math.ceil(max(main.days_at_once, experiment.min_days)) * DAY),
        "sentence": _sentence(experiment, main, days, as_of),
    }
    return ExperimentPlan(document, {needs.outcome.name: needs.fit for needs in found}, main.units.sequential)


def _recent_outcomes(
    project: Project, lake: Lake, requests: UnitRequests, outcome: Outcome, recent: RecentUnits, as_of: Micros
) -> tuple[Floats, Floats]:
    """The outcomes and the covariates of the recent units whose windows are over and whose outcome is known."""
    closed = recent.rows.filter(pc.less_equal(recent.rows["time"], as_of - outcome.within_micros))
    source = project.source(outcome.source_name)
    values = unit_outcomes(outcome, source, lake, closed, requests_for(requests, closed))
    known = ~np.isnan(values)
    if known.sum() < MIN_UNITS:
        raise NotReady(
            f"{int(known.sum()):,} units that asked in the last weeks have an {outcome.name} whose window of "
            f"{outcome.within} is over; a plan needs {MIN_UNITS}"
        )
    return values[known], closed["covariate"].to_numpy()[known]


def _needs(
    experiment: Experiment,
    weights: Weights,
    recent: RecentUnits,
    outcome: Outcome,
    values: tuple[Floats, Floats],
    share: float,
) -> _Needs:
    fit = CovariateFit().with_units(*values)
    mean, variance = float(values[0].mean()), float(values[0].var(ddof=1)) * (1 - fit.explained)
    if mean == 0 or variance == 0:
        raise NotReady(
            f"{outcome.name} is {mean:.4g} for every one of {len(values[0]):,} recent units; an effect on it could not "
            "be measured"
        )
    first, smallest = weights[0][1], min(weight for _, weight in weights[1:])
    deviation = math.sqrt(variance * (first + smallest) * (1 / first + 1 / smallest))
    error = experiment.error / (len(weights) - 1)
    units = units_needed(deviation, share * abs(mean), error)
    window = outcome.within_micros / DAY
    days, at_once = (
        recent.days_until(count / (first + smallest)) + window for count in (units.sequential, units.at_once)
    )
    return _Needs(outcome, mean, math.sqrt(variance), fit, share * abs(mean), units, days, at_once)


def _refusal(experiment: Experiment, main: _Needs) -> str:
    effect = (
        f"an effect of {experiment.smallest_effect:.1%} on {main.outcome.name} needs {main.units.sequential:,} units"
    )
    if not math.isfinite(main.days):
        return f"{effect}, which would never be reached: no new units have come in the last week"
    return (
        f"{effect}: about {math.ceil(main.days):,} days at today's traffic, where max_days={experiment.max_days}; look "
        "for a larger effect, a larger share, an outcome that varies less, or a covariate that explains it"
    )


def _sentence(experiment: Experiment, main: _Needs, days: float, as_of: Micros) -> str:
    units, kept = main.units, f"; the covariate explains {main.fit.explained:.0%} of the variance"
    return (
        f"an effect of {experiment.smallest_effect:.1%} on {main.outcome.name} ({main.effect:.4g} on {main.mean:.4g}) "
        f"would be found, in four of five experiments, with {units.sequential:,} units, looked at every day: about "
        f"{math.ceil(days)} days, until {day_of(as_of + math.ceil(days) * DAY)}; looked at once at the end, with "
        f"{units.at_once:,} units{kept if experiment.covariate else ''}"
    )
