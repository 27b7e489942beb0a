"""The paths to the leaves of trees, with the splits of one feature taken together: a game for each leaf.

On the way to a leaf a row must pass the splits of every feature there. A *slot* is a pair of leaf and feature; the row
passes it, or not. All columns that one feature was prepared into, like those of a one-hot encoding, are one feature.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from smallbox.arrays import Bools, Floats, Floats32, Ints
from smallbox.explanations.tree_nodes import TreeNodes

_SMALLEST: Final = 1e-12
"""A leaf that no training row would come to has this share, so that nothing is divided by 0."""


@dataclass(frozen=True, slots=True, eq=False)
class SameLength:
    """The ``l`` leaves whose paths have ``d`` features; their ``d * l`` slots follow each other, feature by feature.

    Attributes:
        slots: where the slots are among all.
        background: ``(d, l)`` the chance to pass a slot that is not known.
        leaves: ``(l,)`` the leaves.
    """

    slots: slice
    background: Floats
    leaves: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Paths:
    """All slots of all leaves.

    Attributes:
        nodes: the trees.
        inner: ``(I,)`` the nodes that compare.
        node: ``(E,)`` of each step on a path the position among ``inner``, slot by slot.
        wanted: ``(E,)`` whether its comparison must hold.
        starts: ``(S,)`` the first step of each slot.
        features: ``(S,)`` the feature of each slot.
        lengths: the slots by the length of their path.
        single: the leaves that are trees of their own.
    """

    nodes: TreeNodes
    inner: Ints
    node: Ints
    wanted: Bools
    starts: Ints
    features: Ints
    lengths: Sequence[SameLength]
    single: Ints

    def passed(self, prepared: Floats32) -> Bools:
        """Which slots each row passes, ``(n, S)``."""
        holds = self.nodes.holds(prepared, self.inner)
        steps = holds[:, self.node] == self.wanted
        return np.logical_and.reduceat(steps, self.starts, axis=1) if len(self.starts) else steps


@dataclass(frozen=True, slots=True, eq=False)
class _Steps:
    """Every step of every path: its leaf, the node that compares, the way it goes, and the feature."""

    leaf: Ints
    node: Ints
    wanted: Bools
    feature: Ints


def paths_of(nodes: TreeNodes, owners: Ints, baseline: Floats32 | None = None) -> Paths:
    """The paths of trees.

    Args:
        nodes: the trees.
        owners: by prepared column the feature that it was made of.
        baseline: ``(p,)`` a prepared row to compare with; by default the training rows that the trees counted.
    """
    steps = _steps(nodes, owners)
    leaf, feature, slot = _slots(steps)
    length = np.bincount(leaf, minlength=len(nodes.mode))[leaf]
    first_of_leaf = np.searchsorted(leaf, leaf)
    # by length of the path, then by position on it, then by leaf
    order = np.lexsort((leaf, np.arange(len(leaf)) - first_of_leaf, length))
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    by_slot = np.argsort(rank[slot], kind="stable")
    starts = np.searchsorted(rank[slot][by_slot], np.arange(len(leaf)))
    inner = np.flatnonzero(~nodes.is_leaf)
    position = np.searchsorted(inner, steps.node)[by_slot]
    chance = _chances(nodes, steps, baseline)[by_slot]
    background = np.multiply.reduceat(chance, starts) if len(starts) else chance
    single = np.setdiff1d(np.flatnonzero(nodes.is_leaf), leaf)
    return Paths(
        nodes, inner, position, steps.wanted[by_slot], starts, feature[order],
        _by_length(length[order], leaf[order], np.maximum(background, _SMALLEST)), single,
    )  # fmt: skip


def _steps(nodes: TreeNodes, owners: Ints) -> _Steps:
    """Climb from every leaf to its root, all leaves at once."""
    parent = np.full(len(nodes.mode), -1)
    inner = np.flatnonzero(~nodes.is_leaf)
    parent[nodes.if_true[inner]] = inner
    parent[nodes.if_false[inner]] = inner
    leaf = np.flatnonzero(nodes.is_leaf)
    at, found = leaf, [(leaf[:0], leaf[:0], leaf[:0] > 0)]
    while True:
        up = parent[at]
        leaf, at, up = leaf[up >= 0], at[up >= 0], up[up >= 0]
        if not len(up):
            break
        found.append((leaf, up, nodes.if_true[up] == at))
        at = up
    of_leaf, node, wanted = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return _Steps(of_leaf, node, wanted, owners[nodes.column[node]])


def _slots(steps: _Steps) -> tuple[Ints, Ints, Ints]:
    """The leaf and the feature of each slot, in their order, and the slot of each step."""
    width = int(steps.feature.max(initial=0)) + 1
    keys, slot = np.unique(steps.leaf * width + steps.feature, return_inverse=True)
    return keys // width, keys % width, slot


def _chances(nodes: TreeNodes, steps: _Steps, baseline: Floats32 | None) -> Floats:
    """The chance of each step when its feature is not known."""
    if baseline is not None:
        passed: Floats = (nodes.holds(baseline[None, :], steps.node)[0] == steps.wanted).astype(np.float64)
        return passed
    child = np.where(steps.wanted, nodes.if_true[steps.node], nodes.if_false[steps.node])
    above = nodes.covers[steps.node]
    found: Floats = np.where(above > 0, nodes.covers[child] / np.maximum(above, 1), 0.5)
    return found


def _by_length(length: Ints, leaf: Ints, background: Floats) -> list[SameLength]:
    found, first = [], 0
    for size, count in zip(*np.unique(length, return_counts=True), strict=True):
        slots = slice(first, first + int(count))
        shape = (int(size), int(count) // int(size))
        found.append(SameLength(slots, background[slots].reshape(shape), leaf[slots][: shape[1]]))
        first = slots.stop
    return found
