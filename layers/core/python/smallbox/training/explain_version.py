"""What a version needs to explain its answers, made when it is trained.

Trees and linear models are read from the exported graph. They count as read only when their sums give the served
outputs of the training rows again; everything else is explained by permutations.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from sklearn.pipeline import Pipeline

from smallbox.arrays import Floats, Floats32, Objects
from smallbox.define.model import Model
from smallbox.explanations.edge_cases import familiar
from smallbox.explanations.explainer import BaselineRow, Explainer, ReadModel
from smallbox.explanations.preparation import Preparation
from smallbox.explanations.terms import Scale
from smallbox.explanations.tree_nodes import TreeNodes
from smallbox.objectives.objective import Objective
from smallbox.registry.scorer import Scorer
from smallbox.training.column_owners import column_owners
from smallbox.training.examples import Requests
from smallbox.training.exported_sums import HeadSums, cut_preparation, head_sums, joined, parsed_model
from smallbox.training.readings import Reading, readings, scale_without_sums

_TRIED_ROWS: Final = 2_000
_COUNTED_ROWS: Final = 50_000
_TOLERANCE: Final = 1e-5


def explainer_of(model: Model, pipelines: Sequence[Pipeline], onnx: bytes, train: Requests) -> Explainer:
    """The explainer of a candidate.

    Args:
        model: its definition.
        pipelines: fitted, one for each head.
        onnx: the same as ONNX.
        train: the training rows.
    """
    numeric, categorical = train.numeric, train.categorical
    estimators = [pipeline.steps[-1][1] for pipeline in pipelines]
    scale, read = _read(model.objective, estimators, onnx, numeric, categorical) or (
        scale_without_sums(estimators[0]),
        None,
    )
    first, stop, _ = model.objective.ascending.indices(len(model.objective.outputs))
    row = baseline_row(model, numeric, categorical)
    return Explainer(scale, first, stop, row, read, familiar(numeric, categorical))


def baseline_row(model: Model, numeric: Floats32, categorical: Objects) -> BaselineRow:
    """The declared baseline; what it leaves out is the median of the training rows, or their most frequent text."""
    declared = model.explain_baseline or {}
    numbers = [
        declared.get(name, _median(column)) for name, column in zip(model.columns.numeric, numeric.T, strict=True)
    ]
    texts = [
        declared.get(name, _most_frequent(column))
        for name, column in zip(model.columns.categorical, categorical.T, strict=True)
    ]
    known = [np.nan if number is None else number for number in numbers]
    return BaselineRow(
        np.array(known, np.float64), np.array(["" if t is None else t for t in texts], object), bool(declared)
    )


def _median(column: Floats32) -> float:
    known = column[~np.isnan(column)]
    return float(np.median(known)) if len(known) else float("nan")


def _most_frequent(column: Objects) -> str:
    names, counts = np.unique(column.astype(str), return_counts=True)
    return str(names[counts.argmax()]) if len(names) else ""


@dataclass(frozen=True, slots=True, eq=False)
class _Head:
    """One head as it was read: its sums, and some training rows as they reach it."""

    estimator: Any
    sums: HeadSums
    prepared: Floats32

    @property
    def raw(self) -> Floats:
        found: Floats = self.sums.sums.sums(self.prepared) + self.sums.intercepts
        return found


def _read(
    objective: Objective, estimators: Sequence[Any], onnx: bytes, numeric: Floats32, categorical: Objects
) -> tuple[Scale, ReadModel] | None:
    """The scale and what was read; ``None`` when the model cannot be read, or a column is of several features."""
    parsed = parsed_model(onnx)
    found = head_sums(parsed.graph, len(estimators))
    if found is None:
        return None
    preparation = cut_preparation(parsed, [one.tensor for one in found])
    owners = column_owners(Preparation(preparation), numeric, categorical)
    if owners is None:
        return None
    rows = _every(numeric, _TRIED_ROWS), _every(categorical, _TRIED_ROWS)
    heads = [
        _Head(
            estimator,
            one.of_outputs(one.chosen(objective.onnx_columns)),
            Preparation(cut_preparation(parsed, [one.tensor])).prepared(*rows),
        )
        for estimator, one in zip(estimators, found, strict=True)
    ]
    ways = _ways(objective, heads, Scorer(onnx).score(*rows))
    if ways is None:
        return None
    scaled = [one.sums.on_scale(way.factor, way.offset) for one, way in zip(heads, ways, strict=True)]
    sums, intercepts = joined(scaled, [one.prepared.shape[1] for one in heads])
    if isinstance(sums, TreeNodes):
        if (owners[sums.column[~sums.is_leaf]] < 0).any():
            return None
        rows = _every(numeric, _COUNTED_ROWS), _every(categorical, _COUNTED_ROWS)
        sums = replace(sums, covers=sums.counted(Preparation(preparation).prepared(*rows)))
    return ways[0].scale, ReadModel(preparation, owners, sums, intercepts)


def _ways(objective: Objective, heads: Sequence[_Head], served: Floats) -> Sequence[Reading] | None:
    """For each head the way from its sums to its outputs: the first that gives those of the exported graph."""
    ends = np.cumsum([len(one.sums.intercepts) for one in heads])
    own = np.split(served, ends[:-1], axis=1)
    for ways in zip(*(readings(h.estimator, h.raw, o) for h, o in zip(heads, own, strict=True)), strict=False):
        outputs = [way.outputs(one.raw * way.factor + way.offset) for one, way in zip(heads, ways, strict=True)]
        if _is_close(objective.arranged(np.column_stack(outputs)), served):
            return ways
    return None


def _is_close(outputs: Floats, served: Floats) -> bool:
    """As close as sums of float32 are."""
    size = float(np.abs(served).max(initial=1.0, where=~np.isnan(served)))
    return bool(np.allclose(outputs, served, rtol=_TOLERANCE, atol=_TOLERANCE * size, equal_nan=True))


def _every(rows: Any, most: int) -> Any:
    """At most about so many of the rows, evenly spaced."""
    return rows[:: max(1, len(rows) // most)]
