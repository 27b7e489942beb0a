"""The detector of feedback loops rings where exposure narrows without merit, and says when it cannot tell."""

from dataclasses import replace
from typing import Final

import numpy as np
import pyarrow as pa
import pytest

from smallbox.define import Loop, Model, Monitor, boolean
from smallbox.errors import DefinitionError
from smallbox.monitoring.feedback_loop import (
    Exposures,
    LoopReading,
    exposures_of,
    is_unearned,
    loop_reading,
    reading_findings,
)
from smallbox.statistics.exposure import forgone, gini, repeat_rate, top_share
from tests.fakes.kinds import of_classes
from tests.fakes.small import late_parcel

ITEMS: Final = 30
DAYS: Final = 28
ERROR: Final = 1 / 91
LOOP: Final = Loop("product", "is_random")


def _market(seed: int, *, narrows: bool, is_earned: bool, explored: int = 300) -> Exposures:
    """Shares that sharpen over the days, or not, along the appeal or along nothing."""
    rng = np.random.default_rng(seed)
    appeal = rng.beta(4, 16, ITEMS)
    order = np.argsort(-appeal) if is_earned else rng.permutation(ITEMS)
    shown, explored_, gained, earned = (np.zeros((DAYS, ITEMS)) for _ in range(4))
    for day in range(DAYS):
        weights = np.empty(ITEMS)
        weights[order] = np.exp(-np.arange(ITEMS) / ITEMS * (day / 7 if narrows else 1.0))
        shown[day] = rng.multinomial(2000, weights / weights.sum())
        explored_[day] = rng.multinomial(explored, np.full(ITEMS, 1 / ITEMS))
        gained[day] = rng.binomial(explored_[day].astype(int), appeal)
        earned[day] = rng.binomial(shown[day].astype(int), appeal)
    return Exposures(tuple(map(str, range(ITEMS))), shown, explored_, gained, shown, earned)


def _verdicts(*, narrows: bool, is_earned: bool, explored: int = 300) -> list[str]:
    seen = (_market(seed, narrows=narrows, is_earned=is_earned, explored=explored) for seed in range(40))
    return [loop_reading(one, 0.05, ERROR).verdict for one in seen]


def test_an_unearned_concentration_rings() -> None:
    """Exposure that narrows regardless of appeal is a loop in at least 30 of 40 markets."""
    assert _verdicts(narrows=True, is_earned=False).count("loop") >= 30


def test_an_earned_concentration_is_silent() -> None:
    """Exposure that narrows on the items that people want rings in none of 40 markets."""
    assert "loop" not in _verdicts(narrows=True, is_earned=True)


def test_a_steady_exposure_is_silent() -> None:
    """Exposure that does not narrow rings at most as often as stated, however poor the items: 3 of 40 at 1/91 each."""
    assert _verdicts(narrows=False, is_earned=False).count("loop") <= 3


def test_without_exploration_nobody_can_tell() -> None:
    """Exposure that narrows with no row shown at random gives no verdict, and the finding is a notice."""
    reading = loop_reading(_market(1, narrows=True, is_earned=False, explored=0), 0.05, ERROR)
    assert reading.verdict == "cannot tell"
    (finding,) = reading_findings(LOOP, reading)
    assert finding.severity == "notice"
    assert "cannot be told: 0 of 500 labelled rows shown at random, 0 of 50 as the sum" in finding.sentence


@pytest.mark.parametrize("strength", [2.0, 8.0])
def test_merit_is_denied_as_seldom_as_stated_where_all_items_are_alike(strength: float) -> None:
    """Nothing is forgone and nothing may be: at the level of 5 %, at most 8 % of 400 markets, steep or not."""
    denied = 0
    for seed in range(400):
        rng, shares = np.random.default_rng(seed), np.exp(-strength * np.arange(ITEMS) / ITEMS)
        explored = rng.multinomial(200, np.full(ITEMS, 1 / ITEMS), DAYS)
        shown = rng.multinomial(800, shares / shares.sum(), DAYS)
        rates = 0.1 * rng.normal(1, 0.1, (DAYS, 1)).clip(0.2)
        counts = explored, rng.binomial(explored, rates), shown, rng.binomial(shown, rates)
        base = shown[-7:].sum(0) / shown[-7:].sum()
        denied += is_unearned(forgone(base, *(one.astype(float) for one in counts)), 0.0, 0.05)
    assert denied <= 32, denied


def test_an_item_that_was_never_explored_is_left_out() -> None:
    """Its rate is unknown: what is shown of it is taken as the mean of the rest, and no better exposure has it."""
    explored, nothing = np.array([[10.0, 0.0, 10.0]] * 14), np.zeros((14, 3))
    found = forgone(np.array([0.2, 0.6, 0.2]), explored, explored / 2, nothing, nothing)
    assert found.share == pytest.approx(0.0)
    assert len(found.shown_shares) == 2


def test_few_days_are_no_verdict() -> None:
    """A week of days is too short for a reference and a recent week."""
    seen = _market(1, narrows=True, is_earned=False)
    counts = (seen.shown, seen.explored, seen.gained, seen.judged, seen.earned)
    short = Exposures(seen.items, *(one[:7] for one in counts))
    assert loop_reading(short, 0.05, ERROR).verdict == "cannot tell"


def test_a_loop_is_an_incident_in_words() -> None:
    """The finding of a loop names the item and what others would earn."""
    reading: LoopReading = loop_reading(_market(0, narrows=True, is_earned=False), 0.05, ERROR)
    (finding,) = reading_findings(LOOP, reading)
    assert (finding.kind, finding.subject, finding.severity) == ("feedback_loop", "product", "incident")
    assert "would earn" in finding.sentence


def test_rows_of_the_log_are_counted_by_item() -> None:
    """The best row of each group is shown; explored rows count apart, and only with a label."""
    day = pa.table(
        {
            "product": ["a", "b", "a", "b", "b"],
            "is_random": [0.0, 0.0, 0.0, 1.0, 1.0],
            "group": ["1", "1", "2", "2", "3"],
            "score": [0.1, 0.9, 0.5, 0.2, 0.3],
            "label": [0.0, 1.0, 1.0, 1.0, None],
        }
    )
    seen = exposures_of(Loop("product", "is_random", shown=1), [day], "label")
    assert seen.items == ("a", "b")
    assert seen.shown.tolist() == [[1.0, 1.0]]
    assert seen.explored.tolist() == [[0.0, 1.0]]
    assert seen.gained.tolist() == [[0.0, 1.0]]
    assert (seen.judged.tolist(), seen.earned.tolist()) == ([[1.0, 1.0]], [[1.0, 1.0]])


def test_figures_of_exposure() -> None:
    """All exposures on one of four items: Gini 3/4, top share 1, and every pair shows the same item."""
    counts = np.array([0.0, 0.0, 0.0, 8.0])
    assert (gini(counts), top_share(counts, 0.25), repeat_rate(counts)) == (0.75, 1.0, 1.0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"item": "a", "explored": "a"}, "two fields"),
        ({"item": "a", "explored": "b", "shown": 0}, "at least 1"),
        ({"item": "a", "explored": "b", "max_forgone": 2.0}, "between 0 and 1"),
    ],
)
def test_a_wrong_loop_is_refused(arguments: dict[str, object], message: str) -> None:
    """A declaration that means nothing is refused with what is wrong."""
    with pytest.raises(DefinitionError, match=message):
        Loop(**arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("model", "loop", "message"),
    [
        (late_parcel, Loop("depot", "weight"), "must be a boolean field"),
        (late_parcel, Loop("weight", "is_random"), "must be a text field"),
        (late_parcel, Loop("depot", "is_random", shown=3), "needs a ranking"),
        (of_classes, Loop("depot", "is_random"), "the label is a text"),
    ],
)
def test_a_loop_that_does_not_fit_its_model_is_refused(model: Model, loop: Loop, message: str) -> None:
    """At the definition, and not in the night of the first check."""
    request = replace(model.request, fields={**model.request.fields, "is_random": boolean()})
    inputs = (*dict.fromkeys((*model.inputs, "depot", "weight", "is_random")),)
    with pytest.raises(DefinitionError, match=message):
        replace(model, request=request, inputs=inputs, monitor=Monitor(loop=loop))


def test_monitor_takes_a_loop() -> None:
    """Monitor refuses a loop that is not a Loop."""
    with pytest.raises(DefinitionError, match="Loop"):
        Monitor(loop="product")  # type: ignore[arg-type]
