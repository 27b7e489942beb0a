"""The ONNX converter of temperature scaling: logarithm, division, softmax behind the classifier's own graph."""

from typing import Any, Final

import numpy as np
from skl2onnx import get_model_alias
from skl2onnx.common.data_types import FloatTensorType, Int64TensorType

from smallbox.objectives.temperature import SMALLEST
from smallbox.prepare.graph import FLOAT, Converter


def _set_shape(operator: Any) -> None:
    rows = operator.inputs[0].get_first_dimension()
    operator.outputs[0].type = Int64TensorType([rows])
    operator.outputs[1].type = FloatTensorType([rows, len(operator.raw_operator.classes_)])


def _convert(scope: Any, operator: Any, container: Any) -> None:
    scaled = operator.raw_operator
    inner = scope.declare_local_operator(get_model_alias(type(scaled.estimator)), scaled.estimator)
    inner.inputs = operator.inputs
    label = scope.declare_local_variable("label", Int64TensorType())
    probabilities = scope.declare_local_variable("probabilities", FloatTensorType())
    inner.outputs.extend([label, probabilities])
    names = {
        name: scope.get_unique_variable_name(name) for name in ("smallest", "temperature", "clipped", "logs", "cool")
    }
    container.add_initializer(names["smallest"], FLOAT, [1], [SMALLEST])
    container.add_initializer(names["temperature"], FLOAT, [1], [np.float32(scaled.temperature)])
    steps = [
        ("Max", [probabilities.full_name, names["smallest"]], names["clipped"], {}),
        ("Log", [names["clipped"]], names["logs"], {}),
        ("Div", [names["logs"], names["temperature"]], names["cool"], {}),
        ("Softmax", [names["cool"]], operator.outputs[1].full_name, {"axis": 1}),
        ("Identity", [label.full_name], operator.outputs[0].full_name, {}),
    ]
    for kind, inputs, output, attributes in steps:
        container.add_node(kind, inputs, output, name=scope.get_unique_operator_name(kind), **attributes)


TEMPERATURE: Final = Converter(_convert, _set_shape)
