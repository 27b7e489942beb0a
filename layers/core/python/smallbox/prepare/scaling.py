"""Scalers as ONNX, to the last bit.

skl2onnx multiplies by the reciprocal in float32 where scikit-learn divides, so that a scaled value may differ in its
last bit. A tree behind the scaler then sends a value that lies on a threshold the other way. Here each of the two steps
is computed in float64 and rounded to float32, as numpy does it in place.
"""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from skl2onnx.shape_calculators.scaler import calculate_sklearn_scaler_output_shapes
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from smallbox.arrays import Floats
from smallbox.prepare.graph import DOUBLE, FLOAT, Converter, Graph, is_float


def _set_shape(operator: Any) -> None:
    """The shape of the scaled matrix: that of the input."""
    calculate_sklearn_scaler_output_shapes(operator)


def _convert(scope: Any, operator: Any, container: Any) -> None:
    """Add the nodes of a scaler to a graph, as skl2onnx asks its converters to.

    Raises:
        TypeError: when its input is not float32, as all numbers of a model are.
    """
    if not is_float(operator):
        raise TypeError(f"{type(operator.raw_operator).__name__} scales float32 only; scale numbers before they change")
    graph = Graph(scope, operator, container)
    scaled = graph.matrix
    for kind, numbers in _steps(operator.raw_operator):
        exact = graph.node(kind, [graph.cast(scaled, DOUBLE), graph.constant(numbers)])
        scaled = graph.cast(exact, FLOAT)
    graph.finish([scaled])


def _steps(scaler: Any) -> Iterator[tuple[str, Floats]]:
    """What is done to a matrix, one after the other."""
    if isinstance(scaler, MinMaxScaler):
        yield "Mul", scaler.scale_.astype(np.float64)
        yield "Add", scaler.min_.astype(np.float64)
        if scaler.clip:
            low, high = scaler.feature_range
            yield "Max", np.array([low], np.float64)
            yield "Min", np.array([high], np.float64)
    elif isinstance(scaler, StandardScaler):
        # this one rounds its numbers to the type of the matrix first
        if scaler.with_mean:
            yield "Sub", scaler.mean_.astype(np.float32).astype(np.float64)
        if scaler.with_std:
            yield "Div", scaler.scale_.astype(np.float32).astype(np.float64)
    else:
        if scaler.with_centering:
            yield "Sub", scaler.center_.astype(np.float64)
        if scaler.with_scaling:
            yield "Div", scaler.scale_.astype(np.float64)


SCALER: Final = Converter(_convert, _set_shape)
