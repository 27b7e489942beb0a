"""Scores rows with an ONNX model."""

import hashlib
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from smallbox.errors import NotReady

_THREADS: Final = 1
"""One row takes microseconds; threads would take longer to wake."""


class Scorer:
    """A loaded model.

    Args:
        content: the ONNX bytes.
        sha256: their digest as the registry knows it; bytes with another one are refused.

    Raises:
        NotReady: when the bytes are not those that were registered, or this runtime cannot load them.
    """

    def __init__(self, content: bytes, sha256: str | None = None) -> None:
        if sha256 is not None and hashlib.sha256(content).hexdigest() != sha256:
            raise NotReady("the stored model is not the one that was registered; register it again")
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = _THREADS
        try:
            self._session: Any = ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX runtime has a dozen kinds of them, and no class that they share
            raise NotReady("the stored model cannot be loaded by this runtime; train again") from error
        self._inputs = [tensor.name for tensor in self._session.get_inputs()]

    def score(
        self, numeric: npt.NDArray[np.floating[Any]], categorical: npt.NDArray[np.object_]
    ) -> npt.NDArray[np.float64]:
        """The probability of the label for each of ``n`` rows.

        Args:
            numeric: ``(n, k)``; taken as float32, as in training; NaN means missing.
            categorical: ``(n, m)`` of text.
        """
        feeds = {"numeric": numeric.astype(np.float32), "categorical": categorical}
        found = self._session.run(["probabilities"], {name: feeds[name] for name in self._inputs})[0]
        scores: npt.NDArray[np.float64] = found[:, 1].astype(np.float64)
        return scores
