"""Proves that a model which gives no finite number gives NaN, and never infinity."""

import numpy as np
from onnx import TensorProto, helper

from smallbox.registry.scorer import OUTPUTS, Scorer


def test_infinity_is_no_number() -> None:
    """The logarithm of 0 and of -1 are both NaN; that of 1 is 0."""
    numeric = helper.make_tensor_value_info("numeric", TensorProto.FLOAT, [None, 1])
    outputs = helper.make_tensor_value_info(OUTPUTS, TensorProto.FLOAT, [None, 1])
    graph = helper.make_graph([helper.make_node("Log", ["numeric"], [OUTPUTS])], "log", [numeric], [outputs])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    found = Scorer(model.SerializeToString()).score(np.array([[0.0], [-1.0], [1.0]]), np.empty((3, 0), object))
    assert np.isnan(found[:, 0]).tolist() == [True, True, False]
    assert found[2, 0] == 0
