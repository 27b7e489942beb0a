"""Proves the team draft: fair, without repeats, and with the exact probability of each row at its position."""

import itertools
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallbox.serving.interleave import Placed, balanced_list, team_draft

ROWS = st.integers(1, 7)
ORDERS = ROWS.flatmap(lambda n: st.tuples(st.permutations(range(n)), st.permutations(range(n))))


def _all_lists(orders: tuple[list[int], list[int]], positions: int) -> list[list[Placed]]:
    """The list of each outcome of the coins."""
    turns = (positions + 1) // 2
    return [
        team_draft(orders, lambda turn, coins=coins: coins[turn], positions)  # type: ignore[misc]
        for coins in itertools.product((False, True), repeat=turns)
    ]


@given(ORDERS)
def test_the_propensity_is_the_share_of_the_coins_that_put_a_row_there(orders: tuple[list[int], list[int]]) -> None:
    """Counted over all outcomes of the coins, each row stands at its position as often as the log says."""
    lists = _all_lists(orders, len(orders[0]))
    seen: dict[tuple[int, int], float] = defaultdict(float)
    for one in lists:
        for at, placed in enumerate(one):
            seen[at, placed.row] += 1 / len(lists)
    for one in lists:
        for at, placed in enumerate(one):
            assert placed.propensity == pytest.approx(seen[at, placed.row])


@given(ORDERS, st.data())
def test_a_list_has_each_row_once_and_longer_lists_begin_alike(
    orders: tuple[list[int], list[int]], data: st.DataObject
) -> None:
    """The second page goes on where the first one ended: a longer list of the same coins begins with the shorter."""
    rows = len(orders[0])
    coins = data.draw(st.lists(st.booleans(), min_size=rows, max_size=rows))
    whole = team_draft(orders, coins.__getitem__, rows)
    assert sorted(one.row for one in whole) == list(range(rows))
    for shown in range(rows + 1):
        assert team_draft(orders, coins.__getitem__, shown) == whole[:shown]


@given(ORDERS)
def test_each_team_picks_its_best_row_that_is_left(orders: tuple[list[int], list[int]]) -> None:
    """No team ever puts a row into the list while one that it ranks before is left; teams take turns within a round."""
    for one in _all_lists(orders, len(orders[0])):
        left = set(range(len(orders[0])))
        for placed in one:
            assert placed.row == next(row for row in orders[placed.team] if row in left)
            left.remove(placed.row)
        teams = [placed.team for placed in one]
        assert all(len(set(teams[at : at + 2])) == len(teams[at : at + 2]) for at in range(0, len(teams), 2))


@given(ORDERS, st.booleans())
def test_a_balanced_list_has_the_best_rows_of_both(orders: tuple[list[int], list[int]], leads: bool) -> None:  # noqa: FBT001 - drawn
    """Its first rows are the first of either ranking, of one of them at most one more; each row stands there once."""
    rows = len(orders[0])
    lists = [balanced_list(orders, second_leads=one, positions=rows) for one in (False, True)]
    found = lists[leads]
    assert sorted(one.row for one in found) == list(range(rows))
    for at, placed in enumerate(found):
        assert placed.propensity == sum(one[at].row == placed.row for one in lists) / 2
        shown = {one.row for one in found[: at + 1]}
        depths = [next(n for n in range(rows + 1) if n == rows or order[n] not in shown) for order in orders]
        assert any(
            shown == {*orders[0][:first], *orders[1][:second]}
            for first in range(depths[0] + 1)
            for second in range(depths[1] + 1)
            if abs(first - second) <= 1
        )


def test_equal_rankings_give_both_teams_every_position_alike() -> None:
    """Over the coins each team has each row in half of the lists, so equal versions earn equal credit."""
    lists = _all_lists(([0, 1, 2, 3], [0, 1, 2, 3]), 4)
    for row in range(4):
        assert sum(placed.team for one in lists for placed in one if placed.row == row) == len(lists) / 2
    assert all([placed.row for placed in one] == [0, 1, 2, 3] for one in lists)
    assert {placed.propensity for one in lists for placed in one} == {1.0}
