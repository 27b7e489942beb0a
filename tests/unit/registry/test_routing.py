"""Proves what may follow on what: one release and one experiment at a time, and each decided once."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallbox.errors import Conflict
from smallbox.registry.routing import (
    Routing,
    RunningExperiment,
    end_release,
    first_champion,
    go_back,
    hold,
    next_step,
    promote,
    start_canary,
    start_experiment,
    start_shadow,
    stop_experiment,
    take_over,
)

SHADOW = Routing(champion=1, shadow=2, since=5, began=6, revision=2)
CANARY = Routing(champion=1, challenger=2, share=0.2, since=7, began=6, revision=2)
HALVES = RunningExperiment("prices", "ab", ((1, 0.5), (3, 0.5)), unit="customer")
DECIDE = [promote, end_release]


def test_a_release_goes_from_its_shadow_over_its_canary_to_champion() -> None:
    """Who answers changes with the canary, not with the shadow; the release has begun with the shadow."""
    shadow = start_shadow(first_champion(1, now=5), 2, now=6)
    assert shadow == Routing(champion=1, shadow=2, since=5, began=6)
    assert shadow.versions == (1,)
    canary = start_canary(shadow, 2, 0.2, now=7, unit="customer")
    assert canary == Routing(champion=1, challenger=2, share=0.2, since=7, began=6, unit="customer")
    wider = next_step(canary, 0.5, now=8)
    assert (wider.share, wider.since, wider.began) == (0.5, 8, 6)
    assert promote(wider, now=9) == Routing(champion=2, since=9, previous=1)


def test_a_release_that_ended_leaves_the_champion() -> None:
    """Nobody keeps a share; after a shadow alone it was never changed who answers."""
    assert end_release(CANARY, now=9) == Routing(champion=1, since=9, revision=2)
    assert end_release(SHADOW, now=9) == Routing(champion=1, since=5, revision=2)


@pytest.mark.parametrize(("routing", "rung"), [(SHADOW, "shadow"), (CANARY, "canary")])
def test_a_second_release_waits_for_the_first(routing: Routing, rung: str) -> None:
    """The conflict names the version that is released, and its rung."""
    with pytest.raises(Conflict, match=f"version 2 is in a {rung}"):
        start_shadow(routing, 3, now=9)
    with pytest.raises(Conflict, match=f"version 2 is in a {rung}"):
        start_canary(routing, 3, 0.2, now=9)


@pytest.mark.parametrize("decide", DECIDE)
def test_a_release_is_decided_once(decide: Callable[..., Routing]) -> None:
    """Without a release there is nothing to promote, to end or to hold."""
    with pytest.raises(Conflict, match="decided already"):
        decide(first_champion(1, now=5), now=9)
    with pytest.raises(Conflict, match="decided already"):
        hold(first_champion(1, now=5), "a holiday")


def test_a_held_release_moves_on_when_it_is_let_go() -> None:
    """The reason is kept, an empty one lets it go, and the next rung begins without it."""
    held = hold(SHADOW, "a holiday")
    assert held.held == "a holiday"
    assert hold(held, "") == SHADOW
    assert not start_canary(held, 2, 0.2, now=7).held


def test_an_arm_has_a_version() -> None:
    """The challenger's arm is the challenger's version while there is one, then the champion's."""
    assert (CANARY.version_of("champion"), CANARY.version_of("challenger")) == (1, 2)
    assert Routing(champion=1).version_of("challenger") == 1


def test_the_champion_before_takes_over_again() -> None:
    """A canary in between does not change who that is, and the one that was rolled back is the one before now."""
    second = take_over(first_champion(1, now=5), 2, now=6)
    for routing in (second, end_release(start_canary(second, 3, 0.2, now=7), now=8)):
        assert go_back(routing, now=9) == Routing(champion=1, since=9, previous=2)


def test_a_shadow_goes_on_when_the_champion_is_rolled_back() -> None:
    """Its version is compared with the champion before from then on."""
    second = start_shadow(take_over(first_champion(1, now=5), 2, now=6), 3, now=7)
    assert go_back(second, now=9) == Routing(champion=1, shadow=3, since=9, began=7, previous=2)


def test_without_a_champion_before_there_is_none_to_go_back_to() -> None:
    """The first champion stays, and so does the champion of a running canary, which is ended first."""
    with pytest.raises(Conflict, match="there is no champion before version 1"):
        go_back(first_champion(1, now=5), now=9)
    with pytest.raises(Conflict, match="version 2 is in a canary; end it"):
        go_back(CANARY, now=9)


def test_a_canary_and_an_experiment_exclude_each_other() -> None:
    """Both would decide who answers a request; a shadow and an experiment do not meet."""
    running = start_experiment(SHADOW, HALVES, now=9)
    assert running.experiment == replace(HALVES, since=9)
    assert running.versions == (1, 3)
    with pytest.raises(Conflict, match="the experiment prices decides who answers"):
        start_canary(running, 2, 0.2, now=10)
    with pytest.raises(Conflict, match="the experiment prices runs"):
        start_experiment(running, HALVES, now=10)
    with pytest.raises(Conflict, match="version 2 is in a canary"):
        start_experiment(CANARY, HALVES, now=9)
    assert stop_experiment(running, now=12) == replace(SHADOW, since=12)
    with pytest.raises(Conflict, match="no experiment runs"):
        stop_experiment(SHADOW, now=12)


@given(st.sampled_from([None, HALVES]), st.sampled_from([SHADOW, CANARY, Routing(champion=4)]))
def test_a_routing_survives_its_document(experiment: RunningExperiment | None, routing: Routing) -> None:
    """What is stored as JSON, tuples as lists, is read as it was."""
    whole = replace(routing, experiment=experiment)
    document = whole.as_json()
    if document["experiment"]:
        document["experiment"]["weights"] = [list(pair) for pair in document["experiment"]["weights"]]
    assert Routing.from_json(document) == whole


def test_a_routing_of_an_earlier_release_can_be_read() -> None:
    """A document without the champion before, and without rungs, has none."""
    old = {"champion": 1, "challenger": None, "share": 0.0, "since": 5, "revision": 1}
    assert Routing.from_json(old) == Routing(champion=1, since=5, revision=1)
