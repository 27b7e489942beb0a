"""The ONNX converter of ``MissingIndicator``; skl2onnx has none."""

from typing import Any, Final

import numpy as np

from smallbox.prepare.graph import FLOAT, Converter, Graph, set_output_width


def _set_shape(operator: Any) -> None:
    """Set the output's shape: a column for each indicated input column."""
    set_output_width(operator, len(operator.raw_operator.features_))


def _convert(scope: Any, operator: Any, container: Any) -> None:
    """Add the nodes of an indicator to a graph: the signature of a skl2onnx converter.

    Raises:
        TypeError: when ``missing_values`` is not NaN.
    """
    indicator = operator.raw_operator
    if not np.isnan(indicator.missing_values):
        raise TypeError("MissingIndicator: missing_values must be NaN, because a model's missing numbers are NaN")
    graph = Graph(scope, operator, container)
    indicated = graph.node("Gather", [graph.matrix, graph.constant(np.asarray(indicator.features_, np.int64))], axis=1)
    graph.finish([graph.cast(graph.node("IsNaN", [indicated]), FLOAT)])


MISSING_INDICATOR: Final = Converter(_convert, _set_shape)
