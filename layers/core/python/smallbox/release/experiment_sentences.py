"""The sentences of an experiment's verdict, for people."""

import math
from typing import Final

from smallbox.release.experiment_effects import MIN_EVENTS, MIN_UNITS, Effect
from smallbox.release.experiment_record import ExperimentRecord
from smallbox.release.experiment_sums import UnitCount
from smallbox.times import DAY, Micros

_CAUSES: Final[dict[UnitCount, str]] = {
    "assigned": "look for callers that send other units to one version, like a retry or a cache",
    "answered": "a version fails more often than the other: look for answers of the fallback",
    "measured": "the outcomes of one version are lost on the way: look at the join and at the source",
}


def said(record: ExperimentRecord, effect: Effect) -> str:
    """What is known of the effect on the main outcome: better, worse, or no difference of interest."""
    first, outcome = record.running.versions[0], record.experiment.outcome.name
    if effect.known == "no_difference":
        pair, most = f"versions {first} and {effect.version}", f"{record.experiment.smallest_effect:.1%}"
        return f"{pair} do not differ by more than {most} on {outcome} ({_bounds(effect)})"
    return f"version {effect.version} is {effect.known} than version {first} on {outcome}: {_bounds(effect)}"


def _bounds(effect: Effect) -> str:
    found = effect.difference
    value, low, high = (effect.relative(size) for size in (found.value, found.low, found.high))
    return f"{value:+.1%}, between {low:+.1%} and {high:+.1%}, of {found.units:,} units"


def held_by_guardrails(record: ExperimentRecord, main: Effect, guardrails: list[Effect]) -> str:
    """That a version is better, and which guardrails it is not known to keep."""
    names = ", ".join(one.outcome.name for one in guardrails if one.known != "within")
    return f"{said(record, main)}; but it is not known yet whether it keeps within the worst of {names}"


def undecided(record: ExperimentRecord, effect: Effect, as_of: Micros) -> str:
    """That an effect is not known yet, and what it would take."""
    pair = f"versions {record.running.versions[0]} and {effect.version}"
    outcome, counted = effect.outcome, effect.difference.units
    if effect.known == "too_few":
        return (
            f"cannot tell: {counted:,} units of {pair} have an {outcome.name} whose window of {outcome.within} is "
            f"over; each needs {MIN_UNITS}, and {MIN_EVENTS} that are not 0"
        )
    text = f"cannot tell whether {pair} differ on {outcome.name}: {_bounds(effect)}"
    return f"{text}; {_what_it_takes(record, effect, as_of)}"


def _what_it_takes(record: ExperimentRecord, effect: Effect, as_of: Micros) -> str:
    counted, smallest = effect.difference.units, f"{record.experiment.smallest_effect:.1%}"
    closed_for = (as_of - effect.outcome.within_micros - record.running.since) / DAY
    if not effect.needed or closed_for <= 0 or counted >= effect.needed:
        return f"an effect of {smallest} would have been found by now in four of five experiments"
    days = math.ceil((effect.needed - counted) * closed_for / counted)
    return (
        f"an effect of {smallest} would be found, in four of five experiments, with {effect.needed:,} units: in about "
        f"{days} more days at this traffic"
    )


def breach(record: ExperimentRecord, effect: Effect) -> str:
    """That a version has broken a guardrail."""
    worst = next(one.worst for one in record.experiment.guardrails if one.outcome.name == effect.outcome.name)
    return (
        f"version {effect.version} is worse than version {record.running.versions[0]} by more than {worst:.1%} on the "
        f"guardrail {effect.outcome.name}: {_bounds(effect)}"
    )


def ratio_mismatch(record: ExperimentRecord, kind: UnitCount) -> str:
    """That the versions do not have the declared shares of the units."""
    check = record.sums.ratios[kind]
    total = sum(weight for _, weight in record.running.weights)
    seen = ", ".join(
        f"{check.counts.get(version, 0):,} of version {version} ({weight / total:.0%} declared)"
        for version, weight in record.running.weights
    )
    return (
        f"stopped by the sample-ratio check: the units {kind} are {seen}, which chance gives with p = {check.p:.2g}; "
        f"no effect of this experiment can be trusted; {_CAUSES[kind]}"
    )
