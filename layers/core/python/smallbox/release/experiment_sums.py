"""What an experiment knows: counts of units and moments of outcomes by version. Each day adds its units to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, get_args

import numpy as np

from smallbox.arrays import Floats, Ints
from smallbox.statistics.arm_sequences import ArmMoments
from smallbox.statistics.covariate_adjustment import CovariateFit
from smallbox.statistics.sequences import sample_ratio_p
from smallbox.times import Micros

UnitCount = Literal["assigned", "answered", "measured"]
"""Which units are counted: those assigned to a version; those whose first request it answered; of those whose window is
over, those whose outcome is known."""

UNIT_COUNTS: Final[tuple[UnitCount, ...]] = get_args(UnitCount)


@dataclass(frozen=True, slots=True)
class OutcomeSums:
    """The units of each version whose window of one outcome is over.

    Attributes:
        closed_until: units first exposed before this moment are in it.
        plain: by version, the moments of the outcome.
        adjusted: by version, those of the outcome adjusted by the covariate.
        events: by version, the number of units whose outcome is not 0.
        fit: what earlier units say of the covariate.
    """

    closed_until: Micros
    plain: Mapping[int, ArmMoments] = field(default_factory=dict)
    adjusted: Mapping[int, ArmMoments] = field(default_factory=dict)
    events: Mapping[int, int] = field(default_factory=dict)
    fit: CovariateFit = field(default_factory=CovariateFit)

    def with_units(self, versions: Ints, outcomes: Floats, covariates: Floats, until: Micros) -> "OutcomeSums":
        """With the units of further days; those whose outcome is NaN do not count."""
        known = ~np.isnan(outcomes)
        numbers, values, explained = versions[known], outcomes[known], covariates[known]
        adjusted = self.fit.adjusted(values, explained)
        plain, moments, events = dict(self.plain), dict(self.adjusted), dict(self.events)
        for number in np.unique(numbers).tolist():
            own = numbers == number
            plain[number] = plain.get(number, ArmMoments()).with_values(values[own])
            moments[number] = moments.get(number, ArmMoments()).with_values(adjusted[own])
            events[number] = events.get(number, 0) + int(np.count_nonzero(values[own]))
        return OutcomeSums(until, plain, moments, events, self.fit.with_units(values, explained))

    def units(self, version: int) -> int:
        """The number of units of a version."""
        return self.plain[version].units if version in self.plain else 0

    def as_json(self) -> dict[str, Any]:
        """The sums as a document."""
        moments = {"plain": self.plain, "adjusted": self.adjusted}
        return {
            "closed_until": self.closed_until,
            **{kind: {str(n): one.as_json() for n, one in arms.items()} for kind, arms in moments.items()},
            "events": {str(n): events for n, events in self.events.items()},
            "fit": self.fit.as_json(),
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "OutcomeSums":
        """The inverse of :meth:`as_json`."""
        plain, adjusted = (
            {int(n): ArmMoments.from_json(one) for n, one in document[kind].items()} for kind in ("plain", "adjusted")
        )
        events = {int(n): int(one) for n, one in document["events"].items()}
        return cls(document["closed_until"], plain, adjusted, events, CovariateFit.from_json(document["fit"]))


@dataclass(frozen=True, slots=True)
class RatioCheck:
    """The sample ratio of one count of units.

    Attributes:
        counts: units by version.
        p: the smallest p-value of all looks.
    """

    counts: Mapping[int, int] = field(default_factory=dict)
    p: float = 1.0

    def seen(self, counts: Mapping[int, int], weights: Sequence[tuple[int, float]]) -> "RatioCheck":
        """A further look at the count of all units so far."""
        total = sum(weight for _, weight in weights)
        shares = {str(version): weight / total for version, weight in weights}
        found = sample_ratio_p({str(version): n for version, n in counts.items()}, shares)
        return RatioCheck(counts, min(self.p, found))

    def as_json(self) -> dict[str, Any]:
        """The check as a document."""
        return {"counts": {str(version): n for version, n in self.counts.items()}, "p": self.p}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "RatioCheck":
        """The inverse of :meth:`as_json`."""
        return cls({int(version): n for version, n in document["counts"].items()}, document["p"])


@dataclass(frozen=True, slots=True)
class ExperimentSums:
    """All that an experiment knows.

    Attributes:
        as_of: every request before this moment is in it.
        outcomes: the sums of each outcome by its name.
        ratios: the sample ratio of each count of units.
    """

    as_of: Micros
    outcomes: Mapping[str, OutcomeSums]
    ratios: Mapping[UnitCount, RatioCheck] = field(default_factory=lambda: dict.fromkeys(UNIT_COUNTS, RatioCheck()))

    def with_counts(
        self, kind: UnitCount, counts: Mapping[int, int], weights: Sequence[tuple[int, float]]
    ) -> "ExperimentSums":
        """With a further look at a sample ratio."""
        return replace(self, ratios={**self.ratios, kind: self.ratios[kind].seen(counts, weights)})

    def as_json(self) -> dict[str, Any]:
        """The sums as a document."""
        return {
            "as_of": self.as_of,
            "outcomes": {name: one.as_json() for name, one in self.outcomes.items()},
            "ratios": {kind: one.as_json() for kind, one in self.ratios.items()},
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "ExperimentSums":
        """The inverse of :meth:`as_json`."""
        outcomes = {name: OutcomeSums.from_json(one) for name, one in document["outcomes"].items()}
        ratios = {kind: RatioCheck.from_json(document["ratios"][kind]) for kind in UNIT_COUNTS}
        return cls(document["as_of"], outcomes, ratios)
