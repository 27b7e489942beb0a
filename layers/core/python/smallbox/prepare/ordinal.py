"""Ordinal encoders as ONNX, column by column.

skl2onnx gives every column of one text matrix the rare categories of the first.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from skl2onnx.operator_converters.ordinal_encoder import convert_sklearn_ordinal_encoder
from skl2onnx.shape_calculators.ordinal_encoder import calculate_sklearn_ordinal_encoder_output_shapes
from sklearn.preprocessing import OrdinalEncoder

from smallbox.prepare.graph import Converter, Graph, is_text, puts_out
from smallbox.prepare.one_hot import places


def _is_ours(operator: Any) -> bool:
    """Whether it encodes one text matrix and has a number for what it never saw."""
    return is_text(operator) and operator.raw_operator.handle_unknown == "use_encoded_value"


def _set_shape(operator: Any) -> None:
    """The shape of the encoded matrix."""
    if _is_ours(operator):
        puts_out(operator, len(operator.raw_operator.categories_))
    else:
        calculate_sklearn_ordinal_encoder_output_shapes(operator)


def _convert(scope: Any, operator: Any, container: Any) -> None:
    """Add the nodes of an encoder to a graph, as skl2onnx asks its converters to."""
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
        np.arange(len(words)) if few is None else places(words, few)
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
