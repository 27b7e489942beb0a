"""Proves the preference between two rankings: its credit, its error, and what it cannot see."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallbox.serving.interleave import balanced_list, team_draft
from smallbox.statistics.preference import CreditedRows, preference, sign_test, unit_preferences


def _rows(lists: list[list[tuple[int, float, int, int]]], units: list[int] | None = None) -> CreditedRows:
    """Lists of rows, each its team, its credit, its rank by its own team and by the other."""
    flat = [row for one in lists for row in one]
    groups = np.repeat(np.arange(len(lists)), [len(one) for one in lists])
    positions = np.concatenate([np.arange(1, len(one) + 1) for one in lists])
    teams, credit, own, other = (np.array(column) for column in zip(*flat, strict=True))
    of_units = groups if units is None else np.array(units)[groups]
    return CreditedRows(of_units, groups, positions, teams, credit.astype(float), own, other)


def test_a_list_counts_by_its_share_of_credit_and_a_unit_by_its_lists() -> None:
    """A user with one list for each ranking prefers neither; credit beyond the first click changes no sign."""
    second, first, nothing = [(0, 0.0, 1, 2), (1, 1.0, 1, 2)], [(0, 3.0, 1, 2), (1, 1.0, 1, 2)], [(0, 0.0, 1, 2)]
    assert unit_preferences(_rows([second, first, nothing])).tolist() == [1.0, -0.5, 0.0]
    assert unit_preferences(_rows([second, first, nothing], [4, 4, 9])).tolist() == [0.25, 0.0]


def test_competitive_pairs_leave_out_rounds_with_one_wish() -> None:
    """Where both rankings would pick the same row the coin gives it away: its click says nothing."""
    wished_by_both = [(1, 1.0, 1, 1), (0, 0.0, 2, 3)]
    competitive = [(1, 1.0, 1, 3), (0, 0.0, 1, 2)]
    alone = [(1, 1.0, 1, 3)]
    rows = _rows([wished_by_both, competitive, alone])
    assert unit_preferences(rows).tolist() == [1.0, 1.0, 1.0]
    assert unit_preferences(rows, "competitive").tolist() == [0.0, 1.0, 0.0]


@pytest.mark.parametrize("decided", [0.03, 0.4, 1.0], ids=["few click", "many", "all"])
def test_two_equal_rankings_are_told_apart_no_oftener_than_stated(decided: float) -> None:
    """Looked at 40 times over 2,000 units, 2,000 times: both the verdict and the sign test err in at most 5 %."""
    random, runs, units = np.random.default_rng(1), 2_000, 2_000
    wrong = signs = 0
    for _ in range(runs):
        found = random.choice([-1.0, -1 / 3, 1 / 3, 1.0], units) * (random.random(units) < decided)
        looks = [preference(found[:seen]) for seen in np.unique(np.geomspace(10, units, 40).astype(int))]
        wrong += any(one.verdict != "wait" for one in looks)
        signs += any(one.sign_p <= 0.05 for one in looks)
    assert wrong / runs <= 0.05
    assert signs / runs <= 0.05


def test_a_clear_preference_is_found_and_said() -> None:
    """Six of ten units prefer the second ranking; few units say nothing however they agree."""
    random = np.random.default_rng(2)
    found = preference(np.where(random.random(2_000) < 0.6, 1.0, -1.0))
    assert found.verdict == "better"
    assert found.sequence.low < 0.2 < found.sequence.high
    assert "version 5 is preferred to version 3" in found.sentence("version 3", "version 5", "users")
    assert preference(-np.where(random.random(2_000) < 0.6, 1.0, -1.0)).verdict == "worse"
    few = preference(np.ones(29))
    assert few.verdict == "wait"
    assert "fewer than 30 users have one" in few.sentence("version 3", "version 5", "users")


@given(st.integers(0, 300), st.integers(0, 300))
def test_the_sign_test_is_a_p_value_of_either_side(second: int, first: int) -> None:
    """It lies between 0 and 1 and does not depend on which ranking is called the second."""
    assert 0 < sign_test(second, first) <= 1
    assert sign_test(second, first) == pytest.approx(sign_test(first, second))


def test_of_a_balanced_list_both_rankings_have_credit_as_far_as_the_lowest_click() -> None:
    """The clicked row is second by the one and third by the other: to that depth, two, only the one has it."""
    rows = _rows([[(0, 0.0, 1, 3), (1, 0.0, 1, 2), (1, 1.0, 2, 3)], [(0, 1.0, 1, 1), (1, 0.0, 2, 3)]])
    assert unit_preferences(rows, "balanced").tolist() == [1.0, 0.0]


def test_balanced_lists_prefer_one_of_two_rankings_that_a_random_click_cannot_tell_apart() -> None:
    """The known bias, for which team draft is the default: ``1 2 3`` and ``2 3 1``, one click anywhere."""
    orders, lists = ([1, 2, 3], [2, 3, 1]), []
    for leads in (False, True):
        for clicked in (1, 2, 3):
            made = balanced_list(orders, second_leads=leads, positions=3)
            ranks = [{row: at for at, row in enumerate(order, 1)} for order in orders]
            lists.append(
                [
                    (one.team, float(one.row == clicked), ranks[one.team][one.row], ranks[1 - one.team][one.row])
                    for one in made
                ]
            )
    assert unit_preferences(_rows(lists), "balanced").mean() == pytest.approx(1 / 3)


def test_team_draft_does_not_see_a_row_that_both_rank_too_low_to_pick_first() -> None:
    """A known blindness (Chapelle et al., TOIS 30, 2012): the second ranking has the one good row a place higher."""
    rankings = [1, 2, 3], [2, 3, 1]
    earned: dict[int, Any] = {0: 0, 1: 0}
    for coins in ((first, later) for first in (False, True) for later in (False, True)):
        (good,) = [one for one in team_draft((rankings[0], rankings[1]), coins.__getitem__, 3) if one.row == 3]
        earned[good.team] += 1
    assert earned == {0: 2, 1: 2}
