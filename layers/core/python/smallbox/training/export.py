"""A fitted pipeline as ONNX, and the proof that both answer alike."""

import warnings
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.pipeline import Pipeline

from smallbox.define.model import Columns
from smallbox.prepare.converters import CONVERTERS

TOLERANCE: Final = 1e-4
"""How far a probability from ONNX may lie from scikit-learn's; float32 sums of trees stay below 1e-6."""
OPSET: Final = 18


def to_onnx(pipeline: Pipeline, columns: Columns) -> bytes:
    """The pipeline as an ONNX graph with two inputs: one float matrix, one text matrix.

    The inputs are named ``numeric`` ``(n, k)`` and ``categorical`` ``(n, m)``; one without columns is left out. Two
    matrices are scored in half the time that one input a column takes.
    """
    inputs = [
        (name, tensor([None, len(names)]))
        for name, tensor, names in (
            ("numeric", FloatTensorType, columns.numeric),
            ("categorical", StringTensorType, columns.categorical),
        )
        if names
    ]
    with warnings.catch_warnings():
        # skl2onnx writes tree flags as booleans; protobuf takes them as integers below 7, which is pinned.
        warnings.filterwarnings("ignore", "Field onnx.AttributeProto", DeprecationWarning)
        graph = convert_sklearn(
            pipeline,
            initial_types=inputs,
            options={"zipmap": False},
            target_opset=OPSET,
            custom_conversion_functions={step: one.convert for step, one in CONVERTERS.items()},
            custom_shape_calculators={step: one.set_shape for step, one in CONVERTERS.items()},
        )
    content: bytes = graph.SerializeToString()
    return content


@dataclass(frozen=True, slots=True)
class Parity:
    """How ONNX's answers compare with scikit-learn's.

    Attributes:
        rows: rows compared.
        largest: the largest difference of a probability.
        limit: what is tolerated.
    """

    rows: int
    largest: float
    limit: float = TOLERANCE

    def as_json(self) -> dict[str, Any]:
        """The comparison as a document."""
        return asdict(self)


def parity(ours: npt.NDArray[np.float64], theirs: npt.NDArray[np.float64]) -> Parity:
    """Compare the scores of the same rows; no rows differ by nothing."""
    return Parity(len(ours), float(np.abs(ours - theirs).max(initial=0.0)))
