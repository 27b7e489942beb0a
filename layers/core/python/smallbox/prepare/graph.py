"""Writes the part of an ONNX graph that one step becomes, with the interface of skl2onnx converters."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from skl2onnx.operator_converters.common import concatenate_variables
from skl2onnx.proto import onnx_proto

FLOAT: Final = onnx_proto.TensorProto.FLOAT
DOUBLE: Final = onnx_proto.TensorProto.DOUBLE

_TYPES: Final[Mapping[str, int]] = {"f4": FLOAT, "f8": DOUBLE, "i8": onnx_proto.TensorProto.INT64}


@dataclass(frozen=True, slots=True)
class Converter:
    """How skl2onnx converts one kind of step.

    Attributes:
        convert: adds the nodes of a fitted step to a graph; takes skl2onnx's scope, operator and container.
        set_shape: sets type and width of the step's output; takes skl2onnx's operator.
    """

    convert: Callable[[Any, Any, Any], None]
    set_shape: Callable[[Any], None]


class Graph:
    """The part of a graph that implements one operator; each method adds a node and returns its output's name.

    Attributes:
        matrix: name of the operator's input, as one matrix.
    """

    def __init__(self, scope: Any, operator: Any, container: Any) -> None:
        self._scope = scope
        self._operator = operator
        self._container = container
        self.matrix: str = concatenate_variables(scope, operator.inputs, container)

    def constant(self, values: npt.NDArray[Any]) -> str:
        """Add a constant: float32, float64 or int64."""
        name: str = self._scope.get_unique_variable_name("constant")
        kind = _TYPES[values.dtype.str[1:]]
        self._container.add_initializer(name, kind, list(values.shape), values.ravel().tolist())
        return name

    def node(self, kind: str, inputs: list[str], **attributes: Any) -> str:
        """Add a node of the ONNX operator ``kind``."""
        out: str = self._scope.get_unique_variable_name(kind.lower())
        self._container.add_node(kind, inputs, out, name=self._scope.get_unique_operator_name(kind), **attributes)
        return out

    def column(self, index: int) -> str:
        """Select one column of the matrix; shape ``(n, 1)``."""
        return self.node("Gather", [self.matrix, self.constant(np.array([index]))], axis=1)

    def cast(self, name: str, kind: int) -> str:
        """Convert to the ONNX type ``kind``."""
        return self.node("Cast", [name], to=kind)

    def finish(self, parts: list[str]) -> None:
        """Concatenate the matrices side by side as the operator's output."""
        name = self._scope.get_unique_operator_name("Concat")
        self._container.add_node("Concat", parts, self._operator.outputs[0].full_name, name=name, axis=1)


def is_text(operator: Any) -> bool:
    """Whether an operator's input is one text matrix."""
    return len(operator.inputs) == 1 and isinstance(operator.inputs[0].type, StringTensorType)


def is_float(operator: Any) -> bool:
    """Whether all of an operator's inputs are float32."""
    return all(isinstance(variable.type, FloatTensorType) for variable in operator.inputs)


def set_output_width(operator: Any, width: int) -> None:
    """Declare an operator's output as a float32 matrix of that width."""
    operator.outputs[0].type = FloatTensorType([operator.inputs[0].get_first_dimension(), width])
