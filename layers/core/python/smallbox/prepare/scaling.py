"""The ONNX converter of scalers, exact to the last bit.

skl2onnx multiplies by the reciprocal in float32 where scikit-learn divides, so a scaled value may differ in its last
bit. A tree behind the scaler then takes another branch for a value on a threshold. Here each step is computed in
float64 and rounded to float32, as numpy does it in place.
"""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from skl2onnx.shape_calculators.scaler import calculate_sklearn_scaler_output_shapes
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from smallbox.arrays import Floats
from smallbox.prepare.graph import DOUBLE, FLOAT, Converter, Graph, is_float


def _set_shape(operator: Any) -> None:
    """Set the output's shape: that of the input."""
    calculate_sklearn_scaler_output_shapes(operator)


def _convert(scope: Any, operator: Any, container: Any) -> None:
    """Add the nodes of a scaler to a graph: the signature of a skl2onnx converter.

    Raises:
        TypeError: when its input is not float32: it is not the first step on a model's numbers.
    """
    if not is_float(operator):
        raise TypeError(
            f"{type(operator.raw_operator).__name__} scales float32 only; put it before steps that change the type"
        )
    graph = Graph(scope, operator, container)
    scaled = graph.matrix
    for kind, numbers in _steps(operator.raw_operator):
        exact = graph.node(kind, [graph.cast(scaled, DOUBLE), graph.constant(numbers)])
        scaled = graph.cast(exact, FLOAT)
    graph.finish([scaled])


def _steps(scaler: Any) -> Iterator[tuple[str, Floats]]:
    """The ONNX operators and constants of a scaler, in their order."""
    if isinstance(scaler, MinMaxScaler):
        yield "Mul", scaler.scale_.astype(np.float64)
        yield "Add", scaler.min_.astype(np.float64)
        if scaler.clip:
            low, high = scaler.feature_range
            yield "Max", np.array([low], np.float64)
            yield "Min", np.array([high], np.float64)
    elif isinstance(scaler, StandardScaler):
        # StandardScaler rounds its parameters to the type of the matrix first
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
