"""Proves the assignment: sticky, in the stated share, and never back when the share grows."""

from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from smallbox.registry.assignment import arm_of, position
from smallbox.registry.routing import Routing, RunningExperiment
from tests.fakes.small import late_parcel

CANARY = Routing(champion=1, challenger=2, share=0.3)
KEYS = [f"key-{n}" for n in range(20_000)]


@given(st.text(), st.floats(0, 1), st.floats(0, 1))
def test_a_growing_share_never_moves_a_key_back(key: str, one: float, other: float) -> None:
    """A key that the challenger answers at some share, it answers at every greater one; any text is a key."""
    small, large = sorted((one, other))
    if arm_of(replace(CANARY, share=small), key)[0] == "challenger":
        assert arm_of(replace(CANARY, share=large), key)[0] == "challenger"


@given(st.text())
def test_a_share_of_nothing_or_all_is_exact(key: str) -> None:
    """At share 0, and without a canary, the champion answers every key; at share 1 the challenger does."""
    assert arm_of(replace(CANARY, share=0.0), key)[0] == arm_of(Routing(champion=1), key)[0] == "champion"
    assert arm_of(replace(CANARY, share=1.0), key)[0] == "challenger"


def test_the_challenger_gets_its_share() -> None:
    """Of 20 000 keys that follow one another, the share lies within four binomial standard deviations."""
    seen = sum(arm_of(CANARY, key)[0] == "challenger" for key in KEYS) / len(KEYS)
    assert abs(seen - 0.3) < 4 * (0.3 * 0.7 / len(KEYS)) ** 0.5


def test_each_canary_draws_its_keys_anew() -> None:
    """The next challenger's keys are a fresh draw: as many of the last one's keys as of all."""
    before = [key for key in KEYS if arm_of(CANARY, key)[0] == "challenger"]
    again = sum(arm_of(replace(CANARY, challenger=3), key)[0] == "challenger" for key in before) / len(before)
    assert abs(again - 0.3) < 4 * (0.3 * 0.7 / len(before)) ** 0.5


def test_an_assignment_outlives_the_process() -> None:
    """The position is a fixed function of its texts, not of this interpreter's hash seed."""
    assert position("2", "key-0") == 0.6213776039026327


THIRDS = RunningExperiment("prices", "ab", ((1, 0.3), (4, 0.3)))


def test_an_experiment_gives_each_version_its_weight() -> None:
    """Of 20 000 keys each share lies within four standard deviations; the champion answers the rest, outside it."""
    seen: Counter[tuple[str, int]] = Counter(arm_of(Routing(champion=1, experiment=THIRDS), key) for key in KEYS)
    for arm, share in ((("experiment", 1), 0.3), (("experiment", 4), 0.3), (("champion", 1), 0.4)):
        assert abs(seen[arm] / len(KEYS) - share) < 4 * (share * (1 - share) / len(KEYS)) ** 0.5
    assert seen.total() == sum(seen[arm] for arm in (("experiment", 1), ("experiment", 4), ("champion", 1)))


def test_an_experiment_draws_its_units_anew_and_keeps_them() -> None:
    """Another name draws independently of this one; a change of the champion moves nobody who takes part."""
    routing = Routing(champion=1, experiment=THIRDS)
    inside = [key for key in KEYS if arm_of(routing, key) == ("experiment", 4)]
    other = replace(routing, experiment=replace(THIRDS, name="colours"))
    again = sum(arm_of(other, key) == ("experiment", 4) for key in inside) / len(inside)
    assert abs(again - 0.3) < 4 * (0.3 * 0.7 / len(inside)) ** 0.5
    assert all(arm_of(replace(routing, champion=9), key) == ("experiment", 4) for key in inside)


def test_a_declared_field_decides_who_answers() -> None:
    """Instances of one depot go together, whatever their keys; without the field it is the key that counts."""
    instances = [{"parcel_id": f"p{n}", "depot": "north" if n % 2 else "south"} for n in range(6)]
    assert late_parcel.assigned_by(instances, "depot") == ["south", "north"] * 3
    assert late_parcel.assigned_by(instances) == [f"p{n}" for n in range(6)]
    assert late_parcel.assigned_by([{"parcel_id": "p1", "depot": None}], "depot") == ["p1"]
