"""Explains answers of one version: the contributions of its inputs, on the scale that they add up on."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np

from smallbox.arrays import Array, Floats, Floats32, Ints, Objects
from smallbox.explanations.edge_cases import Familiar
from smallbox.explanations.linear import Linear
from smallbox.explanations.permutations import is_complete, sampled_contributions
from smallbox.explanations.preparation import Preparation
from smallbox.explanations.scales import on_scale
from smallbox.explanations.terms import Background, Method, Scale
from smallbox.explanations.tree_nodes import TreeNodes
from smallbox.explanations.tree_paths import Paths, paths_of
from smallbox.explanations.tree_shap import tree_base, tree_contributions

Score = Callable[[Array, Objects], Floats]
"""The outputs of rows of the two input matrices."""

TREE_SHAP: Final = "tree_shap"


@dataclass(frozen=True, slots=True, eq=False)
class BaselineRow:
    """The row that an answer is compared with.

    Attributes:
        numeric: ``(k,)``; NaN means missing.
        categorical: ``(m,)``.
        is_declared: whether the definition declares it; else it has the training rows' medians and most frequent texts.
    """

    numeric: Floats
    categorical: Objects
    is_declared: bool

    def prepared(self, preparation: Preparation) -> Floats32:
        """The row as the estimator takes it, ``(p,)``."""
        found: Floats32 = preparation.prepared(self.numeric[None, :], self.categorical[None, :])[0]
        return found


@dataclass(frozen=True, slots=True, eq=False)
class ReadModel:
    """What was read of an exported model whose preparation makes each column of one feature.

    Attributes:
        preparation: the ONNX bytes of its preparation.
        owners: ``(p,)`` the feature that each prepared column depends on; -1 for none.
        sums: its trees, or its linear model.
        intercepts: ``(o,)`` what is added to the sums.
    """

    preparation: bytes
    owners: Ints
    sums: TreeNodes | Linear
    intercepts: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Contributions:
    """What each feature adds to the outputs of ``n`` rows: ``base`` and ``values`` add up to the outputs on the scale.

    Attributes:
        method: how they were computed.
        is_exact: whether they are the Shapley values, or estimates of them.
        scale: what they add up to.
        background: what they are differences from.
        base: ``(n, o)`` the outputs when no feature is known.
        values: ``(n, f, o)``; the numbers, then the texts.
    """

    method: Method
    is_exact: bool
    scale: Scale
    background: Background
    base: Floats
    values: Floats

    @property
    def totals(self) -> Floats:
        """The outputs on the scale, ``(n, o)``."""
        found: Floats = self.base + self.values.sum(axis=1)
        return found


@dataclass(frozen=True, eq=False)
class Explainer:
    """A version's explanations.

    Attributes:
        scale: what contributions add up to.
        first_sorted: the first of the outputs that are sorted within a row.
        stop_sorted: the end of these outputs.
        baseline: the row that answers are compared with; trees compare with it only when it is declared.
        model: what was read of the model; ``None`` when it is explained by permutations.
        familiar: what training rows were like.
    """

    scale: Scale
    first_sorted: int
    stop_sorted: int
    baseline: BaselineRow
    model: ReadModel | None
    familiar: Familiar

    def contributions(self, numeric: Array, categorical: Objects, score: Score) -> Contributions:
        """The contributions for ``n`` rows of the input matrices.

        Args:
            numeric: ``(n, k)``.
            categorical: ``(n, m)``.
            score: the model itself.
        """
        if self.model is None:
            return self._by_permutations(numeric, categorical, score)
        prepared = self._preparation.prepared(numeric, categorical)
        features = numeric.shape[1] + categorical.shape[1]
        if isinstance(self.model.sums, TreeNodes):
            base = tree_base(self._paths) + self.model.intercepts
            found = self._found("tree_shap", base, tree_contributions(self._paths, prepared, features))
        else:
            base = self.model.sums.sums(self._baseline[None, :])[0] + self.model.intercepts
            values = self.model.sums.contributions(prepared, self._baseline, self.model.owners, features)
            found = self._found("linear", base, values)
        return self._sorted(found)

    def _found(self, method: Method, base: Floats, values: Floats, *, is_exact: bool = True) -> Contributions:
        is_average = method == TREE_SHAP and not self.baseline.is_declared
        background: Background = "training_rows" if is_average else "baseline_row"
        return Contributions(method, is_exact, self.scale, background, np.tile(base, (len(values), 1)), values)

    def _sorted(self, found: Contributions) -> Contributions:
        """Outputs that are sorted within a row take their contributions along."""
        order = np.tile(np.arange(found.base.shape[1]), (len(found.base), 1))
        within = slice(self.first_sorted, self.stop_sorted)
        order[:, within] = self.first_sorted + np.argsort(found.totals[:, within], axis=1, kind="stable")
        base, values = np.take_along_axis(found.base, order, 1), np.take_along_axis(found.values, order[:, None, :], 2)
        return replace(found, base=base, values=values)

    def _by_permutations(self, numeric: Array, categorical: Objects, score: Score) -> Contributions:
        def outputs(numbers: Array, texts: Objects) -> Floats:
            return on_scale(self.scale, score(numbers, texts))

        row = (self.baseline.numeric, self.baseline.categorical)
        values = sampled_contributions(outputs, numeric, categorical, row)
        base = outputs(row[0][None, :], row[1][None, :])[0]
        return self._found("permutations", base, values, is_exact=is_complete(values.shape[1]))

    @cached_property
    def _preparation(self) -> Preparation:
        return Preparation(self._read.preparation)

    @cached_property
    def _baseline(self) -> Floats32:
        return self.baseline.prepared(self._preparation)

    @cached_property
    def _paths(self) -> Paths:
        nodes = self._read.sums
        assert isinstance(nodes, TreeNodes)  # noqa: S101 - its only caller has looked
        return paths_of(nodes, self._read.owners, self._baseline if self.baseline.is_declared else None)

    @property
    def _read(self) -> ReadModel:
        assert self.model is not None  # noqa: S101 - its only callers have looked
        return self.model
