"""The preparation of a model's inputs, as its exported graph does it before the trees."""

from typing import Any, Final

import numpy as np
import onnxruntime as ort

from smallbox.arrays import Array, Floats32, Objects
from smallbox.errors import NotReady

PREPARED: Final = "prepared"
"""The output of the graph: ``(n, p)``, the columns that the estimator takes."""


class Preparation:
    """A loaded graph.

    Args:
        content: its ONNX bytes.

    Raises:
        NotReady: if this runtime cannot load it.
    """

    def __init__(self, content: bytes) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        try:
            self._session: Any = ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime raises a dozen classes without a common base
            raise NotReady("the stored explanation cannot be loaded by this runtime; train again") from error
        self._inputs = [tensor.name for tensor in self._session.get_inputs()]

    def prepared(self, numeric: Array, categorical: Objects) -> Floats32:
        """The prepared columns of ``n`` rows, ``(n, p)``.

        Args:
            numeric: ``(n, k)``; cast to float32, as for the model.
            categorical: ``(n, m)``, texts.
        """
        feeds = {"numeric": numeric.astype(np.float32), "categorical": categorical}
        found: Floats32 = self._session.run([PREPARED], {name: feeds[name] for name in self._inputs})[0]
        return found
