"""A discretizer (binning) with float32 edges: the scikit-learn step and its ONNX converter.

scikit-learn's own ``KBinsDiscretizer`` refuses missing numbers, takes no edges, and compares in float64 where ONNX
compares in float32. See decision 0014.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin

from smallbox.arrays import Floats32
from smallbox.prepare.graph import FLOAT, Converter, Graph, set_output_width


class Discretizer(TransformerMixin, BaseEstimator):  # type: ignore[misc] # scikit-learn has no types
    """One-hot bins: for each bin of each number a column, 1 where the number is in the bin. NaN is in no bin.

    A bin includes its lower edge and excludes its upper edge; the first bin has no lower edge, the last no upper edge.

    Args:
        bins: for each input column either the number of bins, which hold about equally many training rows (fewer bins
            where values repeat), or the inner edges of the bins, ascending.

    >>> bins = Discretizer([(10.0, 20.0)]).fit(np.array([[5.0]]))
    >>> bins.transform(np.array([[5.0], [10.0], [30.0], [np.nan]])).tolist()
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]]
    """

    def __init__(self, bins: Sequence[int | Sequence[float]]) -> None:
        self.bins = bins

    def fit(self, numbers: pd.DataFrame | npt.NDArray[Any], _labels: object = None) -> "Discretizer":
        """Compute the edges.

        Args:
            numbers: ``(n, k)``; NaN means missing.
        """
        columns = np.asarray(numbers, np.float32).T
        self.edges_ = [_edges(column, wanted) for column, wanted in zip(columns, self.bins, strict=True)]
        return self

    def transform(self, numbers: pd.DataFrame | npt.NDArray[Any]) -> Floats32:
        """The bins of all columns, in the order of the input columns."""
        columns = np.asarray(numbers, np.float32).T
        return np.hstack([_bins(column, edges) for column, edges in zip(columns, self.edges_, strict=True)])


def _edges(column: Floats32, wanted: int | Sequence[float]) -> Floats32:
    if not isinstance(wanted, int):
        return np.asarray(wanted, np.float32)
    known = column[~np.isnan(column)]
    if not len(known):
        return known
    edges = np.unique(np.quantile(known, np.linspace(0, 1, wanted + 1)[1:-1], method="higher"))
    # an edge at the minimum would make an empty first bin
    inner: Floats32 = edges[edges > known.min()]
    return inner


def _bins(column: Floats32, edges: Floats32) -> Floats32:
    hot = np.eye(len(edges) + 1, dtype=np.float32)[np.searchsorted(edges, column, side="right")]
    hot[np.isnan(column)] = 0
    return hot


def _set_shape(operator: Any) -> None:
    """Set the output's shape."""
    set_output_width(operator, sum(len(edges) + 1 for edges in operator.raw_operator.edges_))


def _convert(scope: Any, operator: Any, container: Any) -> None:
    """Add the nodes of a discretizer to a graph: the signature of a skl2onnx converter."""
    graph = Graph(scope, operator, container)
    graph.finish([_converted(graph, index, edges) for index, edges in enumerate(operator.raw_operator.edges_)])


def _converted(graph: Graph, index: int, edges: Floats32) -> str:
    """One column: a bin is (x >= lower edge) - (x >= upper edge); every factor is 0, 1 or -1, so float32 is exact."""
    column = graph.column(index)
    reached = [graph.cast(graph.node("Not", [graph.node("IsNaN", [column])]), FLOAT)]
    if len(edges):
        reached.append(graph.cast(graph.node("GreaterOrEqual", [column, graph.constant(edges)]), FLOAT))
    size = len(edges) + 1
    difference = (np.eye(size) - np.eye(size, k=-1)).astype(np.float32)
    return graph.node("MatMul", [graph.node("Concat", reached, axis=1), graph.constant(difference)])


DISCRETIZER: Final = Converter(_convert, _set_shape)
