"""Proves the exploration of a list: a declared share is shuffled, within blocks, and logged with its probability."""

from collections import Counter
from typing import Final

import pytest

from smallbox.define.exploration import Exploration
from smallbox.serving.ordered_list import ranked_list

SCORES: Final = [0.9, 0.5, 0.7, 0.1, 0.3]
KEYS: Final = ["a", "b", "c", "d", "e"]
ORDER: Final = [0, 2, 1, 4, 3]
GROUPS: Final = 4_000


def test_without_exploration_the_order_is_that_of_the_scores() -> None:
    """Every row stands where the model puts it, with certainty."""
    listed = ranked_list(SCORES, KEYS, None, "m g")
    assert [one.row for one in listed] == ORDER
    assert [one.position for one in listed] == [1, 2, 3, 4, 5]
    assert {one.logged["propensity"] for one in listed} == {1.0}


def test_the_logged_probability_is_the_share_of_groups_with_the_row_there() -> None:
    """Over many groups each row stands at each position as often as its propensity says, and never leaves its block."""
    exploration = Exploration(share=0.4, within=3)
    seen: Counter[tuple[int, int]] = Counter()
    said: dict[tuple[int, int], float] = {}
    shuffled = 0
    for group in range(GROUPS):
        listed = ranked_list(SCORES, KEYS, exploration, f"m {group}")
        shuffled += listed[0].logged["randomised"]
        for one in listed:
            seen[one.position, one.row] += 1
            said[one.position, one.row] = one.logged["propensity"]
    assert shuffled / GROUPS == pytest.approx(0.4, abs=0.03)
    assert {row for position, row in seen if position <= 3} == {*ORDER[:3]}
    for place, count in seen.items():
        assert count / GROUPS == pytest.approx(said[place], abs=0.03)
    for position in range(1, 6):
        assert sum(chance for (at, _), chance in said.items() if at == position) == pytest.approx(1)


def test_the_same_group_gets_the_same_list() -> None:
    """A retry, and a caller that sends the candidates in another order, see the list that was shown before."""
    exploration = Exploration(share=1.0)
    first = [KEYS[one.row] for one in ranked_list(SCORES, KEYS, exploration, "m g")]
    keys, scores = KEYS[::-1], SCORES[::-1]
    assert [keys[one.row] for one in ranked_list(scores, keys, exploration, "m g")] == first
    assert len({tuple(one.row for one in ranked_list(SCORES, KEYS, exploration, f"m {n}")) for n in range(50)}) > 20
