"""Numbers as bins: a scikit-learn step with edges in float32, and the same as ONNX.

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
from smallbox.prepare.graph import FLOAT, Converter, Graph, puts_out


class Discretizer(TransformerMixin, BaseEstimator):  # type: ignore[misc] # scikit-learn has no types
    """One column for each bin of each number: 1 where the number lies in it. A missing number lies in none.

    A bin reaches from its lower edge, which belongs to it, to before its upper edge; the first and the last are open.

    Args:
        bins: for each column of the input either how many bins are wanted, with about as many training rows in each
            (fewer where values repeat), or their inner edges, ascending.

    >>> bins = Discretizer([(10.0, 20.0)]).fit(np.array([[5.0]]))
    >>> bins.transform(np.array([[5.0], [10.0], [30.0], [np.nan]])).tolist()
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]]
    """

    def __init__(self, bins: Sequence[int | Sequence[float]]) -> None:
        self.bins = bins

    def fit(self, numbers: pd.DataFrame | npt.NDArray[Any], _labels: object = None) -> "Discretizer":
        """Find the edges.

        Args:
            numbers: ``(n, k)``; NaN means missing.
        """
        columns = np.asarray(numbers, np.float32).T
        self.edges_ = [_edges(column, wanted) for column, wanted in zip(columns, self.bins, strict=True)]
        return self

    def transform(self, numbers: pd.DataFrame | npt.NDArray[Any]) -> Floats32:
        """The columns of all bins, in the order of the input's columns."""
        columns = np.asarray(numbers, np.float32).T
        return np.hstack([_bins(column, edges) for column, edges in zip(columns, self.edges_, strict=True)])


def _edges(column: Floats32, wanted: int | Sequence[float]) -> Floats32:
    if not isinstance(wanted, int):
        return np.asarray(wanted, np.float32)
    there = column[~np.isnan(column)]
    if not len(there):
        return there
    edges = np.unique(np.quantile(there, np.linspace(0, 1, wanted + 1)[1:-1], method="higher"))
    # below the least value there would be an empty bin
    inner: Floats32 = edges[edges > there.min()]
    return inner


def _bins(column: Floats32, edges: Floats32) -> Floats32:
    hot = np.eye(len(edges) + 1, dtype=np.float32)[np.searchsorted(edges, column, side="right")]
    hot[np.isnan(column)] = 0
    return hot


def _set_shape(operator: Any) -> None:
    """The shape of the bins."""
    puts_out(operator, sum(len(edges) + 1 for edges in operator.raw_operator.edges_))


def _convert(scope: Any, operator: Any, container: Any) -> None:
    """Add the nodes of a discretizer to a graph, as skl2onnx asks its converters to."""
    graph = Graph(scope, operator, container)
    graph.finish([_converted(graph, index, edges) for index, edges in enumerate(operator.raw_operator.edges_)])


def _converted(graph: Graph, index: int, edges: Floats32) -> str:
    """One column: a bin is "at or above its lower edge" minus "at or above its upper edge", all of it 0, 1 or -1."""
    column = graph.column(index)
    reached = [graph.cast(graph.node("Not", [graph.node("IsNaN", [column])]), FLOAT)]
    if len(edges):
        reached.append(graph.cast(graph.node("GreaterOrEqual", [column, graph.constant(edges)]), FLOAT))
    size = len(edges) + 1
    difference = (np.eye(size) - np.eye(size, k=-1)).astype(np.float32)
    return graph.node("MatMul", [graph.node("Concat", reached, axis=1), graph.constant(difference)])


DISCRETIZER: Final = Converter(_convert, _set_shape)
