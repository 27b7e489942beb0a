"""Proves that a rare outcome of 0 or 1 is compared by the units with an event, and every other outcome by its means."""

from dataclasses import replace

import numpy as np
import pytest

from smallbox.release.experiment_effects import MIN_EVENTS, Effect, effects_of
from smallbox.times import DAY
from tests.unit.release.experiments import AMOUNT, experiment, record_of


def _effect(events: tuple[int, int], value: float = 1.0, units: int = 5_000, otherwise: float | None = 0.0) -> Effect:
    """The effect where so many units of each version have this value, and all others 0."""
    record = record_of((), measured=replace(experiment(), outcome=replace(AMOUNT, otherwise=otherwise)))
    running = replace(record.running, weights=((1, 0.5), (2, 0.5)))
    sums = record.sums.outcomes[AMOUNT.name]
    for version, count in enumerate(events, 1):
        drawn = np.where(np.arange(units) < count, value, 0.0)
        sums = sums.with_units(np.full(units, version), drawn, np.full(units, np.nan), 9 * DAY)
    kept = replace(record.sums, outcomes={**record.sums.outcomes, AMOUNT.name: sums})
    (found,) = effects_of(replace(record, running=running, sums=kept, tuned_for=10_000))
    return found


def test_a_handful_of_events_in_one_arm_alone_tells() -> None:
    """Fewer than the means need: the split is exact, so nothing waits."""
    found = _effect((1, MIN_EVENTS - 5))
    assert (found.known, found.needed) == ("better", 0)
    assert 0 < found.difference.low < found.difference.value < found.difference.high
    assert _effect((MIN_EVENTS - 5, 1)).known == "worse"


@pytest.mark.parametrize("events", [(0, 0), (3, 5), (15, 15)])
def test_few_events_that_chance_explains_do_not(events: tuple[int, int]) -> None:
    """Nor does the absence of any."""
    assert _effect(events).known == "cannot_tell"


@pytest.mark.parametrize(
    ("value", "units", "otherwise"),
    [(2.0, 5_000, 0.0), (1.0, 99, 0.0), (1.0, 150, 0.0), (1.0, 5_000, None)],
    ids=["not 0 or 1", "few units", "not rare", "units that were measured"],
)
def test_every_other_outcome_waits_for_its_means(value: float, units: int, otherwise: float | None) -> None:
    """An amount, a small arm, an outcome of one unit in ten, and one of the units that were measured."""
    assert _effect((1, MIN_EVENTS - 5), value, units, otherwise).known == "too_few"
