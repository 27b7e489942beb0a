"""The effect of each version of an experiment against the first one, and what it is known to be."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from smallbox.define.experiments import Experiment, Outcome
from smallbox.registry.routing import RunningExperiment
from smallbox.release.experiment_record import ExperimentRecord
from smallbox.release.experiment_sums import OutcomeSums
from smallbox.statistics.arm_sequences import ArmMoments, difference_sequence, with_common_variance
from smallbox.statistics.event_split import EventSplit
from smallbox.statistics.sequences import ConfidenceSequence, units_needed

MIN_UNITS: Final = 100
"""The units that each of two versions needs before they are compared: the bounds rest on means being about normal."""

MIN_EVENTS: Final = 20
"""The units with an outcome other than 0 that each needs, for the same reason; not of a rare outcome of 0 or 1."""

RARE: Final = 0.02
"""The share of the units up to which an outcome of 0 or 1 is rare. Then only the units with a 1 are compared: exact,
and as good as all units while these are few."""

Known = Literal["better", "worse", "no_difference", "within", "breached", "cannot_tell", "too_few"]
"""What is known of an effect. Of the main outcome: better, worse, or no difference of interest; of a guardrail: within
its worst acceptable effect, or breached."""

_ROUNDING: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Effect:
    """The effect of one version on one outcome.

    Attributes:
        outcome: the outcome.
        version: the version.
        first_mean: the mean of the first version, which it is compared with.
        difference: its mean minus that of the first version, by unit.
        known: what is known of it.
        needed: the units of both versions at which an effect of interest would be found; 0 where nobody can say.
        variance_kept: the share of the variance that the covariate leaves.
    """

    outcome: Outcome
    version: int
    first_mean: float
    difference: ConfidenceSequence
    known: Known
    needed: int
    variance_kept: float

    def relative(self, value: float) -> float:
        """A difference as a share of the first version's mean; infinite where that is 0."""
        if not math.isfinite(value) or self.first_mean == 0:
            return math.copysign(math.inf, value) if value else 0.0
        return value / abs(self.first_mean)

    def as_json(self) -> dict[str, Any]:
        """The effect as a document."""
        sizes = {"value": self.difference.value, "low": self.difference.low, "high": self.difference.high}
        shares = {f"relative_{name}": self.relative(size) for name, size in sizes.items()}
        return {
            "outcome": self.outcome.name,
            "version": self.version,
            "first_mean": self.first_mean,
            **self.difference.as_json(),
            **{name: share if math.isfinite(share) else None for name, share in shares.items()},
            "known": self.known,
            "needed": self.needed,
            "variance_kept": round(self.variance_kept, 4),
        }


def effects_of(record: ExperimentRecord) -> list[Effect]:
    """The effects of all versions but the first, of the main outcome and then of each guardrail."""
    experiment = record.experiment
    found = list(_effects(record, experiment.outcome, _main_error(record), None))
    for guardrail in experiment.guardrails:
        error = _main_error(record) / len(experiment.guardrails)
        found += _effects(record, guardrail.outcome, error, guardrail.worst)
    return found


def _main_error(record: ExperimentRecord) -> float:
    """The error of one version: they share that of all (Bonferroni)."""
    return record.experiment.error / (len(record.running.versions) - 1)


def _effects(record: ExperimentRecord, outcome: Outcome, error: float, worst: float | None) -> Iterator[Effect]:
    first, *others = record.running.versions
    sums = record.sums.outcomes[outcome.name]
    for version in others:
        pair = _Pair(sums, first, version, error, record.tuned_for)
        if outcome.otherwise == 0:  # else the units that count need not have the declared shares
            pair.rare = _rare_events(sums, record.running, version)
        interest = record.experiment.smallest_effect if worst is None else worst
        known = _main(pair, outcome, record.experiment) if worst is None else _guardrail(pair, outcome, worst)
        yield Effect(
            outcome, version, pair.first.mean, pair.sequence(1.0), known, pair.needed(interest), pair.variance_kept
        )


def _rare_events(sums: OutcomeSums, running: RunningExperiment, version: int) -> EventSplit | None:
    """The units of two versions with an event, where the outcome is 0 or 1 and rare; else ``None``."""
    weights, first = dict(running.weights), running.versions[0]
    plain = [sums.plain.get(number, ArmMoments()) for number in (first, version)]
    events = [sums.events.get(number, 0) for number in (first, version)]
    units = sum(one.units for one in plain)
    are_ones = all(_is_of_ones(one, count) for one, count in zip(plain, events, strict=True))
    if not are_ones or sum(events) > RARE * units:
        return None
    return EventSplit(events[0], events[1], weights[version] / (weights[first] + weights[version]))


def _is_of_ones(plain: ArmMoments, events: int) -> bool:
    """Whether all values that are not 0 are 1: then sum and sum of squares are their number, and only then."""
    total, squares = plain.units * plain.mean, plain.squares + plain.units * plain.mean**2
    return math.isclose(total, events, abs_tol=_ROUNDING) and math.isclose(squares, events, abs_tol=_ROUNDING)


class _Pair:
    """Two versions and one outcome; ``rare`` are the units with an event, where these alone are compared."""

    rare: EventSplit | None = None

    def __init__(self, sums: OutcomeSums, first: int, other: int, error: float, tuned_for: int) -> None:
        nothing = ArmMoments()
        arms = [sums.adjusted.get(number, nothing) for number in (first, other)]
        self.first, self.other = with_common_variance(arms[0], arms[1])
        self._plain = [sums.plain.get(number, nothing) for number in (first, other)]
        self._error, self._tuned_for = error, tuned_for
        events = min(sums.events.get(number, 0) for number in (first, other))
        self._has_units = min(self.first.units, self.other.units) >= MIN_UNITS
        self._has_events = events >= MIN_EVENTS

    @property
    def is_too_small(self) -> bool:
        return not (self._has_units and (self._has_events or self.rare))

    def sequence(self, factor: float) -> ConfidenceSequence:
        """The bounds of ``other - factor * first``; without limits where there are too few units."""
        found = difference_sequence(self.first, self.other, self._error, self._tuned_for, factor)
        if self.is_too_small:
            return ConfidenceSequence(found.units, found.value, -math.inf, math.inf, found.error)
        if self.rare:
            low, high = self.rare.difference(self.rare.events / found.units, self._error, factor)
            value = self._plain[1].mean - factor * self._plain[0].mean  # the covariate moves no bound of these
            return ConfidenceSequence(found.units, value, low, high, found.error)
        return found

    @property
    def variance_kept(self) -> float:
        before = sum(one.squares for one in self._plain)
        return (self.first.squares + self.other.squares) / before if before > 0 else 1.0

    def needed(self, share: float) -> int:
        """The units of both at which a difference of a share of the first mean would be found, at these variances."""
        if not (self._has_units and self._has_events) or self.first.mean == 0:
            return 0
        units = self.first.units + self.other.units
        deviation = math.sqrt(units * (self.first.variance / self.first.units + self.other.variance / self.other.units))
        if deviation == 0:
            return 0
        return units_needed(deviation, share * abs(self.first.mean), self._error).sequential


def _main(pair: _Pair, outcome: Outcome, experiment: Experiment) -> Known:
    if pair.is_too_small:
        return "too_few"
    found = pair.sequence(1.0)
    if found.excludes_zero:
        return "better" if (found.low > 0) == (outcome.better == "higher") else "worse"
    share = math.copysign(experiment.smallest_effect, pair.first.mean)
    if pair.sequence(1 - share).low > 0 and pair.sequence(1 + share).high < 0:
        return "no_difference"
    return "cannot_tell"


def _guardrail(pair: _Pair, outcome: Outcome, worst: float) -> Known:
    if pair.is_too_small:
        return "too_few"
    is_higher = outcome.better == "higher"
    share = math.copysign(worst, pair.first.mean)
    found = pair.sequence(1 - share if is_higher else 1 + share)
    is_within, is_breached = (found.low > 0, found.high < 0) if is_higher else (found.high < 0, found.low > 0)
    return "within" if is_within else "breached" if is_breached else "cannot_tell"


def by_version(effects: list[Effect], main: Outcome) -> Mapping[int, tuple[Effect, list[Effect]]]:
    """By version its effect on the main outcome, and those on the guardrails."""
    mains = {effect.version: effect for effect in effects if effect.outcome.name == main.name}
    return {
        version: (effect, [one for one in effects if one.version == version and one.outcome.name != main.name])
        for version, effect in mains.items()
    }
