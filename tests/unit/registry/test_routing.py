"""Proves what may follow on what: one canary at a time, and each decided once."""

import pytest

from smallbox.errors import Conflict
from smallbox.registry.routing import (
    Routing,
    end_canary,
    first_champion,
    go_back,
    promote,
    start_canary,
    take_over,
)

CANARY = Routing(champion=1, challenger=2, share=0.2, since=6, revision=2)


def test_a_promoted_challenger_answers_everything() -> None:
    """From first champion to promotion, with the revision that the change was read from."""
    started = start_canary(first_champion(1, now=5), 2, 0.2, now=6)
    assert started == Routing(champion=1, challenger=2, share=0.2, since=6)
    assert promote(CANARY, now=9) == Routing(champion=2, since=9, revision=2, previous=1)


def test_after_a_canary_that_ended_the_champion_answers_everything() -> None:
    """The champion that was stays, and nobody keeps a share."""
    assert end_canary(CANARY, now=9) == Routing(champion=1, since=9, revision=2)


def test_a_second_canary_waits_for_the_first() -> None:
    """Two challengers at once are a conflict that names the one that runs."""
    with pytest.raises(Conflict, match="version 2 is in a canary"):
        start_canary(CANARY, 3, 0.2, now=9)


@pytest.mark.parametrize("decide", [promote, end_canary])
def test_a_canary_is_decided_once(decide: object) -> None:
    """Without a canary there is nothing to promote and nothing to roll back."""
    assert callable(decide)
    with pytest.raises(Conflict, match="decided already"):
        decide(first_champion(1, now=5), now=9)


def test_an_arm_has_a_version() -> None:
    """The challenger's arm is the challenger's version while there is one, then the champion's."""
    assert (CANARY.version_of("champion"), CANARY.version_of("challenger")) == (1, 2)
    assert Routing(champion=1).version_of("challenger") == 1


def test_the_champion_before_takes_over_again() -> None:
    """A canary in between does not change who that is, and the one that was rolled back is the one before now."""
    second = take_over(first_champion(1, now=5), 2, now=6)
    for routing in (second, end_canary(start_canary(second, 3, 0.2, now=7), now=8)):
        assert go_back(routing, now=9) == Routing(champion=1, since=9, previous=2)


def test_without_a_champion_before_there_is_none_to_go_back_to() -> None:
    """The first champion stays, and so does the champion of a running canary, which is ended first."""
    with pytest.raises(Conflict, match="there is no champion before version 1"):
        go_back(first_champion(1, now=5), now=9)
    with pytest.raises(Conflict, match="version 2 is in a canary; end it"):
        go_back(CANARY, now=9)


def test_a_routing_of_an_earlier_release_can_be_read() -> None:
    """A document without the champion before has none."""
    assert Routing(champion=1, challenger=None, share=0.0, since=5, revision=1).previous is None
