"""One-hot encoders with rare categories as ONNX: skl2onnx has no converter for them on one text matrix.

``OneHotEncoder(min_frequency=...)`` gives the rare categories of a column one column together, its last. With one-hot
rows ``h`` over all categories, that is the affine map ``h @ weights + bias``: ``weights`` sends each category to its
column, and where unknown ones count as rare (``handle_unknown="infrequent_if_exist"``), ``bias`` is the rare column,
which ``weights`` then takes away again from every known row. All of it is 0, 1 or -1, so float32 is exact.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from skl2onnx.operator_converters.one_hot_encoder import convert_sklearn_one_hot_encoder
from skl2onnx.proto import onnx_proto
from skl2onnx.shape_calculators.one_hot_encoder import calculate_sklearn_one_hot_encoder_output_shapes
from sklearn.preprocessing import OneHotEncoder

Floats32 = npt.NDArray[np.float32]


def affine(
    categories: npt.NDArray[Any], rare: npt.NDArray[Any] | None, *, unknown_is_rare: bool
) -> tuple[Floats32, Floats32]:
    """The map from a column's categories to its encoded columns.

    Args:
        categories: all ``k`` categories, in the encoder's order.
        rare: those that share the last encoded column; ``None`` when every one has its own.
        unknown_is_rare: whether a category that was never seen counts as rare; otherwise it is a row of zeros.

    Returns:
        ``weights`` ``(k, columns)`` and ``bias`` ``(columns,)``.

    >>> affine(np.array(["a", "b", "c"]), np.array(["a", "c"]), unknown_is_rare=False)[0].tolist()
    [[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]]
    """
    if rare is None:
        return np.eye(len(categories), dtype=np.float32), np.zeros(len(categories), np.float32)
    is_rare = np.isin(categories, rare)
    column = np.where(is_rare, (~is_rare).sum(), np.cumsum(~is_rare) - 1)
    weights = np.eye(int((~is_rare).sum()) + 1, dtype=np.float32)[column]
    bias = np.zeros(weights.shape[1], np.float32)
    bias[-1] = unknown_is_rare
    return weights - bias, bias


def _maps(encoder: OneHotEncoder) -> list[tuple[Floats32, Floats32]]:
    unknown_is_rare = encoder.handle_unknown == "infrequent_if_exist"
    pairs = zip(encoder.categories_, encoder.infrequent_categories_, strict=True)
    return [affine(categories, rare, unknown_is_rare=unknown_is_rare) for categories, rare in pairs]


def _is_ours(operator: Any) -> bool:
    """Whether it has rare categories of one text matrix; everything else skl2onnx converts, or refuses, itself."""
    encoder = operator.raw_operator
    has_rare = any(rare is not None for rare in getattr(encoder, "infrequent_categories_", []))
    one_text = len(operator.inputs) == 1 and isinstance(operator.inputs[0].type, StringTensorType)
    return has_rare and one_text and encoder.drop is None and encoder.handle_unknown != "error"


def calculate_shapes(operator: Any) -> None:
    """The shape of the encoded matrix."""
    if not _is_ours(operator):
        calculate_sklearn_one_hot_encoder_output_shapes(operator)
        return
    width = sum(len(bias) for _, bias in _maps(operator.raw_operator))
    operator.outputs[0].type = FloatTensorType([operator.inputs[0].get_first_dimension(), width])


def convert(scope: Any, operator: Any, container: Any) -> None:
    """Add the nodes of an encoder to a graph, as skl2onnx asks its converters to."""
    if not _is_ours(operator):
        convert_sklearn_one_hot_encoder(scope, operator, container)
        return
    encoder = operator.raw_operator
    graph = _Graph(scope, container)
    encoded = [
        graph.encoded(operator.inputs[0].full_name, index, categories, *maps)
        for index, (categories, maps) in enumerate(zip(encoder.categories_, _maps(encoder), strict=True))
    ]
    container.add_node(
        "Concat", encoded, operator.outputs[0].full_name, name=scope.get_unique_operator_name("Concat"), axis=1
    )


class _Graph:
    """A graph that is being written: adds nodes under unique names, and says what they put out."""

    def __init__(self, scope: Any, container: Any) -> None:
        self._scope = scope
        self._container = container

    def _constant(self, name: str, values: npt.NDArray[Any]) -> str:
        kinds = {"i": onnx_proto.TensorProto.INT64, "f": onnx_proto.TensorProto.FLOAT}
        unique: str = self._scope.get_unique_variable_name(name)
        self._container.add_initializer(unique, kinds[values.dtype.kind], list(values.shape), values.ravel().tolist())
        return unique

    def _node(self, kind: str, inputs: list[str], **attributes: Any) -> str:
        out: str = self._scope.get_unique_variable_name(kind.lower())
        self._container.add_node(kind, inputs, out, name=self._scope.get_unique_operator_name(kind), **attributes)
        return out

    def encoded(self, matrix: str, index: int, categories: npt.NDArray[Any], weights: Floats32, bias: Floats32) -> str:
        """One column of the text matrix, encoded."""
        column = self._node("Gather", [matrix, self._constant("index", np.array([index]))], axis=1)
        texts = [str(category).encode() for category in categories]
        hot = self._node("OneHotEncoder", [column], op_domain="ai.onnx.ml", cats_strings=texts, zeros=1)
        flat = self._node("Reshape", [hot, self._constant("shape", np.array([-1, len(categories)]))])
        return self._node("Gemm", [flat, self._constant("weights", weights), self._constant("bias", bias)])
