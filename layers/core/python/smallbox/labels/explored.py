"""What another version would have earned, from lists that exploration shuffled now and then."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.arrays import Bools, Floats, Ints
from smallbox.labels.interleaved import list_codes, shown_once
from smallbox.labels.join import LABELLED, PENDING
from smallbox.labels.table import encoded_labels, of_objective
from smallbox.objectives.objective import Objective
from smallbox.statistics.off_policy import OffPolicyEvidence, WeightedRows, judge_policy
from smallbox.table_columns import GROUP

_CANDIDATE = "candidate_score"


@dataclass(frozen=True, slots=True)
class ListEvidence:
    """What shuffled lists say of a version.

    Attributes:
        judged: the evidence; its unit is the list, and its gain is in labels of a shown row, like grades or clicks.
        lists: how many lists were judged.
        incomplete: how many blocks of positions were left out, because the caller showed or logged a part of them.
    """

    judged: OffPolicyEvidence
    lists: int
    incomplete: int


def judge_off_policy(
    objective: Objective, rows: pa.Table, scores: Floats, within: int, error: float = 0.05
) -> ListEvidence:
    """Judge the order that a candidate's scores would have given, against the order by the version that answered.

    Rows change places within blocks of ``within`` positions; so what is judged is the order within each block, and not
    which rows reach it. A reward belongs to its row and position, whatever stands elsewhere in the list: the
    item-position model (Li, Abbasi-Yadkori, Kveton, Muthukrishnan, Vinay, Wen, KDD 2018). The doubly robust
    estimate takes the mean reward of each position, from the other half of the lists, as its model.

    Args:
        objective: that of both versions.
        rows: labelled predictions, with the columns of ``interleaved_columns``.
        scores: ``(n,)`` the candidate's score of each row.
        within: the block of the model's ``Exploration``.
        error: the probability that the true gain is ever outside the bounds.
    """
    kept = _explored(objective, rows.append_column(_CANDIDATE, pa.array(scores)))
    positions = kept["list_position"].to_numpy().astype(np.int64)
    groups, firsts = list_codes(kept[GROUP]), (positions - 1) // within * within
    blocks = _numbers_of(groups, firsts)
    whole = np.bincount(blocks, minlength=1)[blocks] == kept["block_rows"].to_numpy()
    incomplete = len(np.unique(blocks[~whole]))
    kept, positions, groups, firsts, blocks = (
        kept.filter(pa.array(whole)), positions[whole], groups[whole], firsts[whole], blocks[whole]
    )  # fmt: skip
    ranks = firsts + _ranks_within(blocks, kept[_CANDIDATE].to_numpy().astype(float))
    rewards = encoded_labels(objective, kept[objective.label_column])
    weighted = WeightedRows(
        groups,
        rewards,
        kept["propensity"].to_numpy().astype(float),
        (ranks == positions).astype(float),
        (kept["own_rank"].to_numpy() == positions).astype(float),
        _means_of_others(rewards, positions, groups),
        np.zeros(len(rewards)),  # each block shows one row at each position, so the model gives both orders the same
    )
    return ListEvidence(judge_policy(weighted, error), len(np.unique(groups)), incomplete)


def _explored(objective: Objective, rows: pa.Table) -> pa.Table:
    """The labelled rows of lists that might have been shuffled, none of whose rows is pending."""
    own = rows.filter(pc.fill_null(pc.greater(rows["block_rows"], 1), fill_value=False))
    pending = pc.unique(own.filter(pc.equal(own["status"], PENDING))[GROUP])
    known = pc.and_(pc.equal(own["status"], LABELLED), of_objective(objective, own))
    kept = own.filter(pc.and_(known, pc.invert(pc.is_in(own[GROUP], value_set=pending))))
    return shown_once(kept)


def _numbers_of(groups: Ints, firsts: Ints) -> Ints:
    """The number of each row's block."""
    _, found = np.unique(np.stack((groups, firsts)), axis=1, return_inverse=True)
    return np.asarray(found, np.int64).reshape(-1)


def _ranks_within(blocks: Ints, scores: Floats) -> Ints:
    """The rank of each row in its block, from 1; equal scores in the order of the rows, rows without a number last."""
    order = np.lexsort((np.where(np.isnan(scores), np.inf, -scores), blocks))
    ranks = np.empty(len(blocks), np.int64)
    ranks[order] = np.arange(len(blocks)) - np.searchsorted(blocks[order], blocks[order]) + 1
    return ranks


def _means_of_others(rewards: Floats, positions: Ints, groups: Ints) -> Floats:
    """The mean reward at each row's position in the lists of the other half."""
    found = np.zeros(len(rewards))
    half: Bools = groups % 2 == 0
    for own in (half, ~half):
        counts = np.bincount(positions[~own], minlength=int(positions.max(initial=0)) + 1)
        totals = np.bincount(positions[~own], rewards[~own], minlength=len(counts))
        found[own] = (totals / np.maximum(counts, 1))[positions[own]]
    return found
