"""The order of a list: by the scores of one version, now and then shuffled, or interleaved from two versions."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from smallbox.define.exploration import Exploration
from smallbox.registry.assignment import position
from smallbox.registry.routing import RunningExperiment
from smallbox.serving.interleave import Placed, balanced_list, team_draft

EVEN = 0.5
"""Where a fair coin changes sides."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One position of a list.

    Attributes:
        row: the candidate's position in the request.
        part: which answers it was taken from, 0 or 1: those of the version that put it there.
        position: its position in the list, from 1.
        logged: what the log says of it beside; see :data:`smallbox.table_columns.RANKED_COLUMNS`.
    """

    row: int
    part: int
    position: int
    logged: dict[str, Any] = field(default_factory=dict)


def best_first(scores: Sequence[float]) -> list[int]:
    """Rows in the order of their scores; equal ones as they were sent, rows without a number last.

    >>> best_first([0.1, float("nan"), 0.7, 0.1])
    [2, 0, 3, 1]
    """
    return sorted(range(len(scores)), key=lambda row: math.inf if math.isnan(scores[row]) else -scores[row])


def ranked_list(
    scores: Sequence[float], keys: Sequence[str], exploration: Exploration | None, seed: str
) -> list[Listed]:
    """All candidates in the order of one version's scores, shuffled in a share of the groups.

    The shuffle is a hash of seed and keys, so the same group gets the same list whenever and wherever it is asked for.

    Args:
        scores: of each candidate.
        keys: of each candidate.
        exploration: which share is shuffled; ``None`` shuffles nothing.
        seed: names the model and the group.
    """
    order = best_first(scores)
    if exploration is None:
        certain = {"propensity": 1.0, "randomised": False, "block_rows": 1}
        return [Listed(row, 0, at, {**certain, "own_rank": at}) for at, row in enumerate(order, 1)]
    is_shuffled = position("exploration", seed) < exploration.share
    found: list[Listed] = []
    for first in range(0, len(order), exploration.within):
        block = order[first : first + exploration.within]
        own = sorted(block, key=lambda row: position(f"exploration {seed}", keys[row])) if is_shuffled else block
        chance = exploration.share / len(block)
        for at, row in enumerate(own):
            stays = 1 - exploration.share if block[at] == row else 0.0
            logged = {"propensity": stays + chance, "randomised": is_shuffled, "block_rows": len(block)}
            logged["own_rank"] = first + block.index(row) + 1
            found.append(Listed(row, 0, first + at + 1, logged))
    return found


def interleaved_list(
    scores: tuple[Sequence[float], Sequence[float]], experiment: RunningExperiment, group: str, positions: int
) -> list[Listed]:
    """The first positions of a list that two versions make; the coins are hashes of experiment, group and round.

    Args:
        scores: of each candidate, by each version.
        experiment: the experiment.
        group: the candidates' group.
        positions: how many.
    """
    rankings = best_first(scores[0]), best_first(scores[1])
    ranks = tuple({row: at for at, row in enumerate(ranking, 1)} for ranking in rankings)

    def listed(at: int, placed: Placed) -> Listed:
        own, other = ranks[placed.team][placed.row], ranks[1 - placed.team][placed.row]
        logged = {"propensity": placed.propensity, "randomised": False, "interleaving": experiment.name}
        return Listed(placed.row, placed.team, at, {**logged, "own_rank": own, "other_rank": other})

    def coin(turn: int) -> bool:
        return position(f"interleaving {experiment.name} {turn}", group) < EVEN

    if experiment.merge == "balanced":
        made = balanced_list(rankings, second_leads=coin(0), positions=positions)
    else:
        made = team_draft(rankings, coin, positions)
    return [listed(at, one) for at, one in enumerate(made, 1)]
