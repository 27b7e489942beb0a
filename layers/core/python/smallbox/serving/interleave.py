"""Interleaving: one list made of two rankings, so that the same person compares them.

Team draft (Radlinski, Kurup, Joachims, CIKM 2008): in each round a coin says which ranking picks first; each picks its
best row that is not in the list yet. Who picked a row gets the credit for what happens to it.

Balanced (Joachims, KDD 2002): one coin says who leads; then both rankings are walked down in step, and a row joins the
list when it is met first. It is closest to either ranking, but where one ranking is the other moved by a place, random
clicks prefer one of them. So team draft is the default.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

Coin = Callable[[int], bool]
"""Of a round, from 0: whether the second ranking picks first."""


@dataclass(frozen=True, slots=True)
class Placed:
    """One position of an interleaved list.

    Attributes:
        row: the row.
        team: the ranking that put it there, 0 or 1.
        propensity: the probability over the coins that this row stands at this position, whoever put it there.
    """

    row: int
    team: int
    propensity: float


def team_draft(rankings: tuple[Sequence[int], Sequence[int]], coin: Coin, positions: int) -> list[Placed]:
    """The first positions of the interleaved list.

    Args:
        rankings: two orders of the same rows, best first.
        coin: the coins.
        positions: how many.

    >>> [(one.row, one.team) for one in team_draft(([5, 6, 7], [7, 6, 5]), lambda _: True, 3)]
    [(7, 1), (5, 0), (6, 1)]
    """
    likely = _likely_rows(rankings, positions)
    chosen: set[int] = set()
    found: list[Placed] = []
    for turn in range((positions + 1) // 2):
        begins = int(coin(turn))
        for team, row in zip((begins, 1 - begins), _picks(rankings, chosen, begins), strict=False):
            if len(found) < positions:
                found.append(Placed(row, team, likely[len(found)][row]))
                chosen.add(row)
    return found


def balanced_list(rankings: tuple[Sequence[int], Sequence[int]], *, second_leads: bool, positions: int) -> list[Placed]:
    """The first positions of the balanced list; the arguments are as for :func:`team_draft`.

    >>> [(one.row, one.propensity) for one in balanced_list(([5, 6, 7], [6, 7, 5]), second_leads=False, positions=3)]
    [(5, 0.5), (6, 0.5), (7, 1.0)]
    """
    lists = [_walked(rankings, leads) for leads in (0, 1)]
    own = lists[int(second_leads)][:positions]
    chances = [sum(one[at][0] == row for one in lists) / 2 for at, (row, _) in enumerate(own)]
    return [Placed(row, team, chance) for (row, team), chance in zip(own, chances, strict=True)]


def _walked(rankings: tuple[Sequence[int], Sequence[int]], leads: int) -> list[tuple[int, int]]:
    """The rows in the order in which they are met, each with the ranking that met it first."""
    found: dict[int, int] = {}
    for both in zip(rankings[leads], rankings[1 - leads], strict=True):
        for team, row in zip((leads, 1 - leads), both, strict=True):
            found.setdefault(row, team)
    return [*found.items()]


def _picks(rankings: tuple[Sequence[int], Sequence[int]], chosen: set[int] | frozenset[int], begins: int) -> list[int]:
    """What a round adds, in order: two rows, or the last one."""
    first = next((row for row in rankings[begins] if row not in chosen), None)
    if first is None:
        return []
    second = next((row for row in rankings[1 - begins] if row not in chosen and row != first), None)
    return [first] if second is None else [first, second]


def _likely_rows(rankings: tuple[Sequence[int], Sequence[int]], positions: int) -> list[dict[int, float]]:
    """For each position the probability of each row, exactly, over all coins.

    Different coins mostly lead to the same set of rows, so the sets after each round stay few.
    """
    sets: dict[frozenset[int], float] = {frozenset(): 1.0}
    found: list[dict[int, float]] = [{} for _ in range(positions + 1)]
    for turn in range((positions + 1) // 2):
        after: dict[frozenset[int], float] = {}
        for chosen, chance, picked in _rounds(rankings, sets):
            for at, row in enumerate(picked, 2 * turn):
                found[at][row] = found[at].get(row, 0.0) + chance
            reached = chosen.union(picked)
            after[reached] = after.get(reached, 0.0) + chance
        sets = after
    return found


def _rounds(
    rankings: tuple[Sequence[int], Sequence[int]], sets: dict[frozenset[int], float]
) -> Iterator[tuple[frozenset[int], float, list[int]]]:
    """What a round may add to each set, for either side of the coin, with its probability."""
    for chosen, chance in sets.items():
        for begins in (0, 1):
            yield chosen, chance / 2, _picks(rankings, chosen, begins)
