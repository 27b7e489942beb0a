"""The trees of an exported model as arrays, and which way rows take through them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from smallbox.arrays import Bools, Floats, Floats32, Ints

MODES: Final = ("LEAF", "BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ")
"""What ONNX calls a node's comparison of the value with the threshold; stored by position."""

_COMPARE: Final = (np.less_equal, np.less, np.greater_equal, np.greater, np.equal, np.not_equal)
_PAIRS: Final = 500_000
"""Pairs of row and tree that descend at once, which bounds the memory."""


@dataclass(frozen=True, slots=True, eq=False)
class TreeNodes:
    """``N`` nodes of all trees.

    Attributes:
        column: ``(N,)`` the prepared column that a node compares.
        threshold: ``(N,)`` float32, as ONNX compares.
        mode: ``(N,)`` position in :data:`MODES`.
        if_true: ``(N,)`` the next node where the comparison holds; a leaf is its own next node.
        if_false: ``(N,)`` the next node elsewhere.
        missing_is_true: ``(N,)`` whether a missing value goes the way of a true comparison.
        roots: ``(T,)`` the first node of each tree.
        weights: ``(N, o)`` what a leaf adds to each output; 0 for other nodes.
        covers: ``(N,)`` how many training rows came to a node.
    """

    column: Ints
    threshold: Floats32
    mode: Ints
    if_true: Ints
    if_false: Ints
    missing_is_true: Bools
    roots: Ints
    weights: Floats
    covers: Floats

    @property
    def is_leaf(self) -> Bools:
        """``(N,)``."""
        return np.asarray(self.mode == 0)

    def holds(self, prepared: Floats32, nodes: Ints) -> Bools:
        """Whether the comparison of each of ``b`` nodes holds, ``(n, b)`` for ``n`` prepared rows."""
        return self._compared(prepared[:, self.column[nodes]], nodes)

    def _compared(self, values: Floats32, nodes: Ints) -> Bools:
        threshold, mode = self.threshold[nodes], self.mode[nodes]
        found = np.isnan(values) & self.missing_is_true[nodes]
        for at, compare in enumerate(_COMPARE, start=1):
            if (mode == at).all():
                return np.asarray(found | compare(values, threshold), np.bool_)
            found |= (mode == at) & compare(values, threshold)
        return found

    def visited(self, prepared: Floats32) -> Iterator[tuple[Ints, Bools]]:
        """The node of each row in each tree, ``(n, T)`` level by level, and whether the row has just come to it."""
        step = max(1, _PAIRS // max(1, len(self.roots)))
        for first in range(0, len(prepared), step):
            yield from self._descent(prepared[first : first + step])

    def _descent(self, prepared: Floats32) -> Iterator[tuple[Ints, Bools]]:
        at = np.tile(self.roots, (len(prepared), 1))
        moved = np.ones(at.shape, np.bool_)
        rows = np.arange(len(prepared))[:, None]
        while moved.any():
            yield at, moved
            holds = self._compared(prepared[rows, self.column[at]], at)
            after = np.where(holds, self.if_true[at], self.if_false[at])
            at, moved = after, after != at

    def counted(self, prepared: Floats32) -> Floats:
        """How many rows come to each node, ``(N,)``."""
        found = np.zeros(len(self.mode))
        for at, moved in self.visited(prepared):
            found += np.bincount(at[moved], minlength=len(found))
        return found

    def sums(self, prepared: Floats32) -> Floats:
        """What the trees add to each output, ``(n, o)``."""
        step = max(1, _PAIRS // max(1, len(self.roots)))
        parts = [self._sums(prepared[first : first + step]) for first in range(0, len(prepared), step)]
        return np.concatenate([np.zeros((0, self.weights.shape[1])), *parts])

    def _sums(self, prepared: Floats32) -> Floats:
        *_, (at, _) = self._descent(prepared)
        found: Floats = np.stack(
            [self.weights[:, output][at].sum(axis=1) for output in range(self.weights.shape[1])], 1
        )
        return found
