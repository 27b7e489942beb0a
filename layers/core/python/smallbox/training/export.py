"""Exports fitted pipelines to one ONNX graph, and compares the outputs of both."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from onnx import TensorProto, compose, helper, numpy_helper
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.pipeline import Pipeline

from smallbox.arrays import Floats
from smallbox.define.signature import Columns
from smallbox.documents.metrics import ParityReport
from smallbox.objectives.objective import Objective
from smallbox.prepare.converters import CONVERTERS
from smallbox.registry.scorer import OUTPUTS
from smallbox.training.boosters import register_booster_converters
from smallbox.training.forest_trees import register_forest_converters

OPSET: Final = 18
_LAST: Final = 1_000_000


def to_onnx(pipelines: Sequence[Pipeline], columns: Columns, objective: Objective) -> bytes:
    """The pipelines as one ONNX graph with two inputs and the output ``outputs``.

    The inputs are one float matrix ``numeric`` ``(n, k)`` and one text matrix ``categorical`` ``(n, m)``; one without
    columns is left out. Two matrices score in half the time of one input per column. The output ``(n, o)`` has a column
    for each of the objective's outputs.

    Args:
        pipelines: one for each of the objective's heads.
        columns: the model's.
        objective: which outputs of each pipeline are read, and which of them are sorted.
    """
    parts = _Parts()
    found = [parts.outputs_of(pipeline, columns, objective, f"head{n}_") for n, pipeline in enumerate(pipelines)]
    parts.node("Concat", found, "unsorted", axis=1)
    parts.sorted_within("unsorted", objective)
    content: bytes = parts.model(columns, len(objective.outputs)).SerializeToString()
    return content


class _Parts:
    """The graph as it grows: nodes and constants of every head, and what joins them."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self._opsets: dict[str, int] = {}

    def node(self, kind: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        self._nodes.append(helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def constant(self, name: str, values: list[int]) -> str:
        self._constants.append(numpy_helper.from_array(np.array(values, np.int64), name))
        return name

    def outputs_of(self, pipeline: Pipeline, columns: Columns, objective: Objective, prefix: str) -> str:
        """Add a head, and the columns of its output that are outputs of the model."""
        graph = self._added(compose.add_prefix(_converted(pipeline, columns), prefix), prefix)
        at = self.constant(f"{prefix}at", list(objective.onnx_columns))
        read = self.node("Gather", [f"{prefix}{objective.onnx_output}", at], f"{prefix}read", axis=1)
        if _has_log_link(pipeline.steps[-1][1]):
            read = self.node("Exp", [read], f"{prefix}exponential")
        self._opsets |= {one.domain: max(one.version, self._opsets.get(one.domain, 0)) for one in graph.opset_import}
        return self.node("Cast", [read], f"{prefix}outputs", to=TensorProto.FLOAT)

    def _added(self, head: Any, prefix: str) -> Any:
        for tensor in head.graph.input:
            self.node("Identity", [tensor.name.removeprefix(prefix)], tensor.name)
        self._nodes.extend(head.graph.node)
        self._constants.extend(head.graph.initializer)
        return head

    def sorted_within(self, name: str, objective: Objective) -> None:
        """Sort the ascending outputs of each row; the others stay where they are."""
        first, stop, _ = objective.ascending.indices(len(objective.outputs))
        if stop - first < 2:  # noqa: PLR2004 - nothing to sort
            self.node("Identity", [name], OUTPUTS)
            return
        axis = self.constant("axis", [1])
        bounds = {limit: self.constant(f"at_{limit}", [limit]) for limit in {0, first, stop, _LAST}}
        before, between, after = (
            self.node("Slice", [name, bounds[start], bounds[end], axis], output)
            for start, end, output in ((0, first, "before"), (first, stop, "between"), (stop, _LAST, "after"))
        )
        count = self.constant("count", [stop - first])
        ascending = helper.make_node("TopK", [between, count], ["ascending", "positions"], axis=1, largest=0)
        self._nodes.append(ascending)
        self.node("Concat", [before, "ascending", after], OUTPUTS, axis=1)

    def model(self, columns: Columns, outputs: int) -> Any:
        inputs = [
            helper.make_tensor_value_info(name, kind, [None, len(names)])
            for name, kind, names in (
                ("numeric", TensorProto.FLOAT, columns.numeric),
                ("categorical", TensorProto.STRING, columns.categorical),
            )
            if names
        ]
        output = helper.make_tensor_value_info(OUTPUTS, TensorProto.FLOAT, [None, outputs])
        graph = helper.make_graph(self._nodes, "smallbox", inputs, [output], self._constants)
        opsets = [helper.make_opsetid(domain, version) for domain, version in self._opsets.items()]
        return helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION)


_IR_VERSION: Final = 9
"""The newest that every runtime which reads opset 18 takes."""


def _converted(pipeline: Pipeline, columns: Columns) -> Any:
    inputs = [
        (name, tensor([None, len(names)]))
        for name, tensor, names in (
            ("numeric", FloatTensorType, columns.numeric),
            ("categorical", StringTensorType, columns.categorical),
        )
        if names
    ]
    last = pipeline.steps[-1][1]
    # the probabilities as a matrix; steps with a converter of ours and regressors know no such option
    is_plain = hasattr(last, "predict_proba") and type(last) not in CONVERTERS
    register_booster_converters(pipeline)
    register_forest_converters()
    with warnings.catch_warnings():
        # skl2onnx writes tree flags as booleans; protobuf takes them as integers below 7, which is pinned.
        warnings.filterwarnings("ignore", "Field onnx.AttributeProto", DeprecationWarning)
        return convert_sklearn(
            pipeline,
            initial_types=inputs,
            options={id(last): {"zipmap": False}} if is_plain else None,
            target_opset=OPSET,
            custom_conversion_functions={step: one.convert for step, one in CONVERTERS.items()},
            custom_shape_calculators={step: one.set_shape for step, one in CONVERTERS.items()},
        )


def _has_log_link(estimator: Any) -> bool:
    """Whether boosted trees of scikit-learn predict an exponential, as with Poisson loss: skl2onnx 1.20 omits it."""
    link = getattr(getattr(estimator, "_loss", None), "link", None)
    return type(link).__name__ == "LogLink"


@dataclass(frozen=True, slots=True)
class Parity:
    """ONNX outputs compared with scikit-learn's.

    Attributes:
        rows: rows compared.
        largest: largest absolute difference of an output.
        limit: largest difference that the gate accepts.
    """

    rows: int
    largest: float
    limit: float

    def as_json(self) -> ParityReport:
        """The comparison as a document."""
        return {"rows": self.rows, "largest": self.largest, "limit": self.limit}


def parity(ours: Floats, theirs: Floats, limit: float) -> Parity:
    """Compare two matrices of outputs of the same rows; without rows the difference is 0."""
    return Parity(len(ours), float(np.abs(ours - theirs).max(initial=0.0)), limit)
