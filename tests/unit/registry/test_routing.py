"""Proves what may follow on what: one canary at a time, and each decided once."""

import pytest

from smallbox.errors import Conflict
from smallbox.registry.routing import Routing, first_champion, promote, roll_back, start_canary

CANARY = Routing(champion=1, challenger=2, share=0.2, since=6, revision=2)


def test_a_promoted_challenger_answers_everything() -> None:
    """From first champion to promotion, with the revision that the change was read from."""
    started = start_canary(first_champion(1, now=5), 2, 0.2, now=6)
    assert started == Routing(champion=1, challenger=2, share=0.2, since=6)
    assert promote(CANARY, now=9) == Routing(champion=2, since=9, revision=2)


def test_after_a_roll_back_the_champion_answers_everything() -> None:
    """The champion that was stays, and nobody keeps a share."""
    assert roll_back(CANARY, now=9) == Routing(champion=1, since=9, revision=2)


def test_a_second_canary_waits_for_the_first() -> None:
    """Two challengers at once are a conflict that names the one that runs."""
    with pytest.raises(Conflict, match="version 2 is in a canary"):
        start_canary(CANARY, 3, 0.2, now=9)


@pytest.mark.parametrize("decide", [promote, roll_back])
def test_a_canary_is_decided_once(decide: object) -> None:
    """Without a canary there is nothing to promote and nothing to roll back."""
    assert callable(decide)
    with pytest.raises(Conflict, match="decided already"):
        decide(first_champion(1, now=5), now=9)


def test_an_arm_has_a_version() -> None:
    """The challenger's arm is the challenger's version while there is one, then the champion's."""
    assert (CANARY.version_of("champion"), CANARY.version_of("challenger")) == (1, 2)
    assert Routing(champion=1).version_of("challenger") == 1
