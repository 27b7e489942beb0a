"""Exports a fitted pipeline to ONNX, and compares the scores of both."""

import warnings
from dataclasses import dataclass
from typing import Final

import numpy as np
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.pipeline import Pipeline

from smallbox.arrays import Floats
from smallbox.define.signature import Columns
from smallbox.documents.metrics import ParityReport
from smallbox.prepare.converters import CONVERTERS
from smallbox.training.boosters import register_booster_converters

TOLERANCE: Final = 1e-4
"""Largest accepted difference between probabilities of ONNX and scikit-learn; float32 sums of trees stay below 1e-6."""
OPSET: Final = 18


def to_onnx(pipeline: Pipeline, columns: Columns) -> bytes:
    """The pipeline as an ONNX graph with two inputs: one float matrix, one text matrix.

    The inputs are named ``numeric`` ``(n, k)`` and ``categorical`` ``(n, m)``; one without columns is left out. Two
    matrices score in half the time of one input per column.
    """
    inputs = [
        (name, tensor([None, len(names)]))
        for name, tensor, names in (
            ("numeric", FloatTensorType, columns.numeric),
            ("categorical", StringTensorType, columns.categorical),
        )
        if names
    ]
    register_booster_converters(pipeline)
    with warnings.catch_warnings():
        # skl2onnx writes tree flags as booleans; protobuf takes them as integers below 7, which is pinned.
        warnings.filterwarnings("ignore", "Field onnx.AttributeProto", DeprecationWarning)
        graph = convert_sklearn(
            pipeline,
            initial_types=inputs,
            options={"zipmap": False} if hasattr(pipeline, "predict_proba") else None,
            target_opset=OPSET,
            custom_conversion_functions={step: one.convert for step, one in CONVERTERS.items()},
            custom_shape_calculators={step: one.set_shape for step, one in CONVERTERS.items()},
        )
    content: bytes = graph.SerializeToString()
    return content


@dataclass(frozen=True, slots=True)
class Parity:
    """ONNX scores compared with scikit-learn's.

    Attributes:
        rows: rows compared.
        largest: largest absolute difference of a probability.
        limit: largest difference that the gate accepts.
    """

    rows: int
    largest: float
    limit: float = TOLERANCE

    def as_json(self) -> ParityReport:
        """The comparison as a document."""
        return {"rows": self.rows, "largest": self.largest, "limit": self.limit}


def parity(ours: Floats, theirs: Floats) -> Parity:
    """Compare two scores of the same rows; without rows the difference is 0."""
    return Parity(len(ours), float(np.abs(ours - theirs).max(initial=0.0)))
