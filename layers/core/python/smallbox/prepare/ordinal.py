"""The ONNX converter of ordinal encoders, column by column.

skl2onnx applies the rare categories of the first column to every column of a text matrix.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from skl2onnx.operator_converters.ordinal_encoder import convert_sklearn_ordinal_encoder
from skl2onnx.shape_calculators.ordinal_encoder import calculate_sklearn_ordinal_encoder_output_shapes
from sklearn.preprocessing import OrdinalEncoder

from smallbox.prepare.graph import Converter, Graph, is_text, set_output_width
from smallbox.prepare.one_hot import encoded_positions


def _is_ours(operator: Any) -> bool:
    """Whether it encodes one text matrix and has a number for unknown categories."""
    return is_text(operator) and operator.raw_operator.handle_unknown == "use_encoded_value"


def _set_shape(operator: Any) -> None:
    """Set the output's shape."""
    if _is_ours(operator):
        set_output_width(operator, len(operator.raw_operator.categories_))
    else:
        calculate_sklearn_ordinal_encoder_output_shapes(operator)


def _convert(scope: Any, operator: Any, container: Any) -> None:
    """Add the nodes of an encoder to a graph: the signature of a skl2onnx converter."""
    if not _is_ours(operator):
        convert_sklearn_ordinal_encoder(scope, operator, container)
        return
    encoder, graph = operator.raw_operator, Graph(scope, operator, container)
    unknown = float(encoder.unknown_value)
    codes = enumerate(zip(encoder.categories_, _codes(encoder), strict=True))
    graph.finish([_encoded(graph, index, words, numbers, unknown) for index, (words, numbers) in codes])


def _codes(encoder: OrdinalEncoder) -> list[npt.NDArray[np.int64]]:
    """The number of each category, column by column."""
    rare = getattr(encoder, "infrequent_categories_", [None] * len(encoder.categories_))
    return [
        np.arange(len(words)) if few is None else encoded_positions(words, few)
        for words, few in zip(encoder.categories_, rare, strict=True)
    ]


def _encoded(graph: Graph, index: int, words: npt.NDArray[Any], numbers: npt.NDArray[np.int64], unknown: float) -> str:
    return graph.node(
        "LabelEncoder",
        [graph.column(index)],
        op_domain="ai.onnx.ml",
        op_version=2,
        keys_strings=[str(word).encode() for word in words],
        values_floats=numbers.astype(float).tolist(),
        default_float=unknown,
    )


ORDINAL: Final = Converter(_convert, _set_shape)
