"""The ONNX converter of a scaled score: a multiplication behind the regressor's own graph."""

from typing import Any, Final

import numpy as np
from skl2onnx import get_model_alias
from skl2onnx.common.data_types import FloatTensorType

from smallbox.prepare.graph import FLOAT, Converter, set_output_width


def _set_shape(operator: Any) -> None:
    set_output_width(operator, 1)


def _convert(scope: Any, operator: Any, container: Any) -> None:
    scaled = operator.raw_operator
    inner = scope.declare_local_operator(get_model_alias(type(scaled.estimator)), scaled.estimator)
    inner.inputs = operator.inputs
    score = scope.declare_local_variable("score", FloatTensorType())
    inner.outputs.append(score)
    scale = scope.get_unique_variable_name("scale")
    container.add_initializer(scale, FLOAT, [1], [np.float32(scaled.scale)])
    name = scope.get_unique_operator_name("Mul")
    container.add_node("Mul", [score.full_name, scale], operator.outputs[0].full_name, name=name)


SCALED_SCORE: Final = Converter(_convert, _set_shape)
