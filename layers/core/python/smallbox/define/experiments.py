"""The definition of an experiment (A/B test): what is measured, on whom, and when it is decided."""

from dataclasses import dataclass, field
from typing import Final, Literal

from smallbox.define.argument_types import check_declared, check_kind, check_several, check_share
from smallbox.define.source import Source, check_not_personal
from smallbox.errors import DefinitionError
from smallbox.times import Micros, duration

JoinedBy = Literal["key", "unit"]
"""What an outcome's field holds: the request's key, or the unit that is assigned."""

Better = Literal["higher", "lower"]

_OUTCOME: Final = 'outcome(source, value="amount", on="customer", within="7d")'


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an experiment measures: for each unit the sum of a field over its records. Written with :func:`outcome`.

    Attributes:
        source_name: the source whose records carry it.
        value: its numeric or boolean field; true counts 1, and null nothing.
        on: its text or integer field with the unit or the request's key.
        by: which of the two ``on`` holds.
        within: how long after the first exposure of a unit a record counts.
        better: which of two sums is the better one.
        otherwise: the sum of a unit without any record; ``None`` does not count such units.
    """

    source_name: str
    value: str
    on: str
    by: JoinedBy
    within: str = field(compare=False)
    better: Better = "higher"
    otherwise: float | None = 0.0
    within_micros: Micros = field(init=False)

    def __post_init__(self) -> None:
        check_declared("outcome", self)
        if self.by not in {"key", "unit"}:
            raise DefinitionError(f'outcome {self.name}: by={self.by!r} must be "key" or "unit"')
        if self.better not in {"higher", "lower"}:
            raise DefinitionError(f'outcome {self.name}: better={self.better!r} must be "higher" or "lower"')
        object.__setattr__(self, "within_micros", duration(self.within))
        if self.within_micros <= 0:
            raise DefinitionError(f"outcome {self.name}: within={self.within!r} must be longer than 0")

    @property
    def name(self) -> str:
        """``source.field``: how reports name it."""
        return f"{self.source_name}.{self.value}"


def outcome(
    source: Source,
    *,
    value: str,
    on: str,
    within: str,
    by: JoinedBy = "unit",
    better: Better = "higher",
    otherwise: float | None = 0.0,
) -> Outcome:
    """An outcome: for each unit the sum of ``value`` over the records of ``source`` that are its own.

    A record counts when it became known after the unit was first answered in the experiment, and within the window.
    Of several versions of a record the last one that became known in time counts.

    Args:
        source: the source of the records.
        value: its numeric or boolean field.
        on: its text or integer field that holds the unit, or the request's key.
        within: the window after the first exposure, like ``"7d"``. A unit counts when its window is over.
        by: ``unit``: records whose ``on`` is the unit, and whose event time is after the first exposure; ``key``: those
            whose ``on`` is the key of a request of the unit that was asked in the window.
        better: whether a higher or a lower sum is better.
        otherwise: the sum of a unit without a record. ``None``: it does not count; write this where a missing record is
            a missing measurement, as of a label.

    Raises:
        DefinitionError: when a field is missing, has another type, or is personal.
    """
    check_kind("outcome: source", source, Source, "the Source whose records bring the outcome")
    _check_field(source, value, ("number", "integer", "boolean"), "value")
    _check_field(source, on, ("text", "integer"), "on")
    check_not_personal(source, on, "field that an outcome is joined by")
    return Outcome(source.name, value, on, by, within, better, otherwise)


def _check_field(source: Source, name: str, types: tuple[str, ...], role: str) -> None:
    found = source.fields.get(name)
    if found is None:
        raise DefinitionError(
            f"outcome: {role}={name!r} is not a field of source {source.name}; it has {', '.join(source.fields)}"
        )
    if found.type not in types:
        raise DefinitionError(
            f"outcome: {role}={name!r} of source {source.name} is a {found.type}; it must be a {' or '.join(types)}"
        )


@dataclass(frozen=True, slots=True)
class GuardrailOutcome:
    """An outcome that must not get much worse, whatever the main outcome gains.

    Attributes:
        outcome: the outcome.
        worst: the worst acceptable effect, as a share of the first version's mean: ``0.02`` lets an outcome that is
            better when higher fall by 2 %, and one that is better when lower rise by 2 %.
    """

    outcome: Outcome
    worst: float = 0.02

    def __post_init__(self) -> None:
        check_declared("GuardrailOutcome", self)
        check_kind("GuardrailOutcome: outcome", self.outcome, Outcome, _OUTCOME)
        check_share("GuardrailOutcome", "worst", self.worst)


@dataclass(frozen=True, slots=True)
class Experiment:
    """An experiment: which outcome decides between versions that answer different units at the same time.

    The versions and their shares are named when it is started, by ``smallbox experiment start``.

    Attributes:
        outcome: the main outcome; it decides.
        guardrails: outcomes that must not get much worse.
        unit: the request field that is assigned, like a customer; ``None``: the request's key.
        covariate: a numeric input or feature whose value at the first exposure explains part of the outcome: it narrows
            the bounds (CUPED). ``None``: none.
        min_days: no verdict before this many days; whole weeks see every weekday.
        max_days: an experiment that would take longer is not started, and one that still runs by then is stopped.
        confidence: 1 minus the error of the main outcome over all looks and versions together; the guardrails have as
            much again, together.
        smallest_effect: the smallest effect of interest, as a share of the first version's mean: what the plan is made
            for, and below which there is "no difference".
    """

    outcome: Outcome
    guardrails: tuple[GuardrailOutcome, ...] = ()
    unit: str | None = None
    covariate: str | None = None
    min_days: int = 7
    max_days: int = 90
    confidence: float = 0.95
    smallest_effect: float = 0.02

    def __post_init__(self) -> None:
        check_declared("Experiment", self)
        check_kind("Experiment: outcome", self.outcome, Outcome, _OUTCOME)
        check_several(
            "Experiment: guardrails",
            self.guardrails,
            GuardrailOutcome,
            f"a tuple, like (GuardrailOutcome({_OUTCOME}),)",
        )
        names = [one.name for one in self.outcomes]
        if len({*names}) < len(names):
            raise DefinitionError(f"Experiment: each outcome may be named once, not {', '.join(names)}")
        if not 1 <= self.min_days <= self.max_days:
            raise DefinitionError(
                f"Experiment: min_days={self.min_days} must be at least 1, and at most max_days={self.max_days}"
            )
        if not 0.5 < self.confidence < 1:  # noqa: PLR2004 - 0.5 is a coin flip
            raise DefinitionError(f"Experiment: confidence={self.confidence} must lie between 0.5 and 1")
        if not 0 < self.smallest_effect <= 1:
            raise DefinitionError(f"Experiment: smallest_effect={self.smallest_effect} must be above 0 and at most 1")

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """The main outcome, then the guardrails."""
        return (self.outcome, *(guardrail.outcome for guardrail in self.guardrails))

    @property
    def error(self) -> float:
        """1 minus the confidence."""
        return 1 - self.confidence
