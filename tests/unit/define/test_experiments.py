"""Proves that an experiment is refused where it is written when it could not be measured."""

from dataclasses import replace
from typing import Any

import pytest

from smallbox.define import Experiment, GuardrailOutcome, Release, outcome
from smallbox.define.project import project_of
from smallbox.errors import DefinitionError
from tests.fakes.small import late_parcel
from tests.unit.define.orders import EVENTS, REQUEST

SIZE = outcome(EVENTS, value="size", on="who", within="7d")


def test_a_release_declares_an_experiment() -> None:
    """The main outcome and the guardrails are in order, and each has a name for reports."""
    returned = GuardrailOutcome(outcome(EVENTS, value="pieces", on="who", within="14d", better="lower"), worst=0.05)
    declared = Release(experiment=Experiment(SIZE, (returned,), unit="who", covariate="amount")).experiment
    assert isinstance(declared, Experiment)
    assert [one.name for one in declared.outcomes] == ["events.size", "events.pieces"]
    assert declared.error == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"value": "sizes"}, "value='sizes' is not a field of source events"),
        ({"value": "shop"}, "is a text; it must be a number or integer or boolean"),
        ({"on": "size"}, "on='size' of source events is a number; it must be a text or integer"),
        ({"on": "pieces"}, "may not be pii"),
        ({"within": "0d"}, "must be longer than 0"),
        ({"by": "both"}, 'must be "key" or "unit"'),
        ({"better": "more"}, 'must be "higher" or "lower"'),
        ({"source": "events"}, "the Source whose records"),
    ],
)
def test_an_outcome_that_cannot_be_summed_is_refused(changes: dict[str, Any], why: str) -> None:
    """The sentence names the field and what it must be."""
    arguments: dict[str, Any] = {"source": EVENTS, "value": "size", "on": "who", "within": "7d", **changes}
    with pytest.raises(DefinitionError, match=why):
        outcome(arguments.pop("source"), **arguments)


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"min_days": 0}, "must be at least 1"),
        ({"min_days": 20, "max_days": 10}, "at most max_days=10"),
        ({"confidence": 0.4}, r"must lie between 0\.5 and 1"),
        ({"smallest_effect": 0.0}, "must be above 0"),
        ({"guardrails": (GuardrailOutcome(SIZE),)}, "each outcome may be named once"),
        ({"guardrails": (SIZE,)}, "GuardrailOutcome"),
    ],
)
def test_rules_that_contradict_themselves_are_refused(settings: dict[str, Any], why: str) -> None:
    """Also a guardrail that is the main outcome."""
    with pytest.raises(DefinitionError, match=why):
        Experiment(SIZE, **settings)


def test_the_source_of_an_outcome_must_be_defined() -> None:
    """Like that of a label: nobody would send its records."""
    deployed = replace(late_parcel, release=Release(experiment=Experiment(SIZE)))
    with pytest.raises(DefinitionError, match="outcome source 'events' is not defined"):
        project_of([deployed])
    assert project_of([deployed], [EVENTS]).models


def test_a_release_takes_no_bare_outcome() -> None:
    """The sentence says what to write."""
    with pytest.raises(DefinitionError, match="Experiment"):
        Release(experiment=SIZE)  # type: ignore[arg-type]
    with pytest.raises(DefinitionError, match="worst"):
        GuardrailOutcome(outcome(REQUEST, value="amount", on="who", within="1d"), worst=2.0)
