"""Indicators of missing numbers as ONNX, which skl2onnx has no converter for."""

from typing import Any, Final

import numpy as np

from smallbox.prepare.graph import FLOAT, Converter, Graph, puts_out


def _set_shape(operator: Any) -> None:
    """The shape of the indicators: a column for each that is watched."""
    puts_out(operator, len(operator.raw_operator.features_))


def _convert(scope: Any, operator: Any, container: Any) -> None:
    """Add the nodes of an indicator to a graph, as skl2onnx asks its converters to.

    Raises:
        TypeError: when something else than not-a-number counts as missing.
    """
    indicator = operator.raw_operator
    if not np.isnan(indicator.missing_values):
        raise TypeError("MissingIndicator: missing_values must be NaN, which is what a model's missing numbers are")
    graph = Graph(scope, operator, container)
    watched = graph.node("Gather", [graph.matrix, graph.constant(np.asarray(indicator.features_, np.int64))], axis=1)
    graph.finish([graph.cast(graph.node("IsNaN", [watched]), FLOAT)])


MISSING_INDICATOR: Final = Converter(_convert, _set_shape)
