"""Proves the assignment: sticky, in the stated share, and never back when the share grows."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from smallbox.registry.routing import Routing
from smallbox.serving.sticky_assignment import arm_of, position

CANARY = Routing(champion=1, challenger=2, share=0.3)
KEYS = [f"key-{n}" for n in range(20_000)]


@given(st.text(), st.floats(0, 1), st.floats(0, 1))
def test_a_growing_share_never_moves_a_key_back(key: str, one: float, other: float) -> None:
    """A key that the challenger answers at some share, it answers at every greater one; any text is a key."""
    small, large = sorted((one, other))
    if arm_of(replace(CANARY, share=small), key) == "challenger":
        assert arm_of(replace(CANARY, share=large), key) == "challenger"


@given(st.text())
def test_a_share_of_nothing_or_all_is_exact(key: str) -> None:
    """At share 0, and without a canary, the champion answers every key; at share 1 the challenger does."""
    assert arm_of(replace(CANARY, share=0.0), key) == arm_of(Routing(champion=1), key) == "champion"
    assert arm_of(replace(CANARY, share=1.0), key) == "challenger"


def test_the_challenger_gets_its_share() -> None:
    """Of 20 000 keys that follow one another, the share lies within four binomial standard deviations."""
    seen = sum(arm_of(CANARY, key) == "challenger" for key in KEYS) / len(KEYS)
    assert abs(seen - 0.3) < 4 * (0.3 * 0.7 / len(KEYS)) ** 0.5


def test_each_canary_draws_its_keys_anew() -> None:
    """The next challenger's keys are a fresh draw: as many of the last one's keys as of all."""
    before = [key for key in KEYS if arm_of(CANARY, key) == "challenger"]
    again = sum(arm_of(replace(CANARY, challenger=3), key) == "challenger" for key in before) / len(before)
    assert abs(again - 0.3) < 4 * (0.3 * 0.7 / len(before)) ** 0.5


def test_an_assignment_outlives_the_process() -> None:
    """The position is a fixed function of its texts, not of this interpreter's hash seed."""
    assert position("2", "key-0") == 0.6213776039026327
