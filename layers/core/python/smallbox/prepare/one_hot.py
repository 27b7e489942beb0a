"""The ONNX converter of one-hot encoders with rare categories; skl2onnx has none for a text matrix.

``OneHotEncoder(min_frequency=...)`` gives all rare categories of a column one shared column, the last. With one-hot
rows ``h`` over all categories, that is the affine map ``h @ weights + bias``: ``weights`` sends each category to its
column, and where unknown ones count as rare (``handle_unknown="infrequent_if_exist"``), ``bias`` is the rare column,
which ``weights`` subtracts again from every known row. All factors are 0, 1 or -1, so float32 is exact.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from skl2onnx.operator_converters.one_hot_encoder import convert_sklearn_one_hot_encoder
from skl2onnx.shape_calculators.one_hot_encoder import calculate_sklearn_one_hot_encoder_output_shapes
from sklearn.preprocessing import OneHotEncoder

from smallbox.arrays import Floats32
from smallbox.prepare.graph import Converter, Graph, is_text, set_output_width


def encoded_positions(categories: npt.NDArray[Any], rare: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """The encoded position of each category: frequent ones in their order, all rare ones the last position.

    >>> encoded_positions(np.array(["a", "b", "c"]), np.array(["a", "c"])).tolist()
    [1, 0, 1]
    """
    is_rare = np.isin(categories, rare)
    return np.where(is_rare, (~is_rare).sum(), np.cumsum(~is_rare) - 1)


def affine_map(
    categories: npt.NDArray[Any], rare: npt.NDArray[Any] | None, *, unknown_is_rare: bool
) -> tuple[Floats32, Floats32]:
    """The affine map ``h @ weights + bias`` from one-hot rows over all categories to the encoded columns.

    Args:
        categories: all ``k`` categories, in the encoder's order.
        rare: categories that share the last encoded column; ``None`` when each has its own.
        unknown_is_rare: whether an unknown category counts as rare; otherwise it is encoded as zeros.

    Returns:
        ``weights`` ``(k, columns)`` and ``bias`` ``(columns,)``.

    >>> affine_map(np.array(["a", "b", "c"]), np.array(["a", "c"]), unknown_is_rare=False)[0].tolist()
    [[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]]
    """
    if rare is None:
        return np.eye(len(categories), dtype=np.float32), np.zeros(len(categories), np.float32)
    place = encoded_positions(categories, rare)
    weights = np.eye(int(place.max()) + 1, dtype=np.float32)[place]
    bias = np.zeros(weights.shape[1], np.float32)
    bias[-1] = unknown_is_rare
    return weights - bias, bias


def _maps(encoder: OneHotEncoder) -> list[tuple[Floats32, Floats32]]:
    unknown_is_rare = encoder.handle_unknown == "infrequent_if_exist"
    pairs = zip(encoder.categories_, encoder.infrequent_categories_, strict=True)
    return [affine_map(categories, rare, unknown_is_rare=unknown_is_rare) for categories, rare in pairs]


def _is_ours(operator: Any) -> bool:
    """Whether it encodes one text matrix with rare categories; skl2onnx converts or refuses everything else."""
    encoder = operator.raw_operator
    has_rare = any(rare is not None for rare in getattr(encoder, "infrequent_categories_", []))
    return has_rare and is_text(operator) and encoder.drop is None and encoder.handle_unknown != "error"


def _set_shape(operator: Any) -> None:
    """Set the output's shape."""
    if _is_ours(operator):
        set_output_width(operator, sum(len(bias) for _, bias in _maps(operator.raw_operator)))
    else:
        calculate_sklearn_one_hot_encoder_output_shapes(operator)


def _convert(scope: Any, operator: Any, container: Any) -> None:
    """Add the nodes of an encoder to a graph: the signature of a skl2onnx converter."""
    if not _is_ours(operator):
        convert_sklearn_one_hot_encoder(scope, operator, container)
        return
    encoder, graph = operator.raw_operator, Graph(scope, operator, container)
    columns = zip(encoder.categories_, _maps(encoder), strict=True)
    graph.finish([_encoded(graph, index, words, *maps) for index, (words, maps) in enumerate(columns)])


def _encoded(graph: Graph, index: int, categories: npt.NDArray[Any], weights: Floats32, bias: Floats32) -> str:
    """One column of the text matrix, encoded."""
    texts = [str(category).encode() for category in categories]
    hot = graph.node("OneHotEncoder", [graph.column(index)], op_domain="ai.onnx.ml", cats_strings=texts, zeros=1)
    flat = graph.node("Reshape", [hot, graph.constant(np.array([-1, len(categories)]))])
    return graph.node("Gemm", [flat, graph.constant(weights), graph.constant(bias)])


ONE_HOT: Final = Converter(_convert, _set_shape)
