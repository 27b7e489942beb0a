"""Scores rows with an ONNX model."""

import hashlib
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from smallbox.errors import NotReady

OUTPUTS: Final = "outputs"
"""The output of every exported model: ``(n, k)``, a column for each of the objective's outputs."""

_THREADS: Final = 1
"""One row takes microseconds, less than waking a thread."""


class Scorer:
    """A loaded model.

    Args:
        content: the ONNX bytes.
        sha256: the registered SHA-256 of ``content``, in hexadecimal; ``None`` skips the check.

    Raises:
        NotReady: if the checksum does not match, or this runtime cannot load the model.
    """

    def __init__(self, content: bytes, sha256: str | None = None) -> None:
        if sha256 is not None and hashlib.sha256(content).hexdigest() != sha256:
            raise NotReady("the stored model does not match its registered checksum; register it again")
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = _THREADS
        try:
            self._session: Any = ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime raises a dozen classes without a common base
            raise NotReady("the stored model cannot be loaded by this runtime; train again") from error
        self._inputs = [tensor.name for tensor in self._session.get_inputs()]
        if [tensor.name for tensor in self._session.get_outputs()] != [OUTPUTS]:
            raise NotReady("the stored model was exported by an earlier release; train again")

    def score(
        self, numeric: npt.NDArray[np.floating[Any]], categorical: npt.NDArray[np.object_]
    ) -> npt.NDArray[np.float64]:
        """The outputs for each of ``n`` rows, ``(n, k)`` in the order of the objective's ``outputs``.

        NaN where the model gives no finite number, as a linear one does for an input that is missing.

        Raises:
            NotReady: when the model fails to run.

        Args:
            numeric: ``(n, k)``; cast to float32, as in training; NaN means missing.
            categorical: ``(n, m)``, texts.
        """
        feeds = {"numeric": numeric.astype(np.float32), "categorical": categorical}
        try:
            found = self._session.run([OUTPUTS], {name: feeds[name] for name in self._inputs})[0]
        except Exception as error:  # as above
            raise NotReady("the stored model failed to run; see the log, and train again") from error
        outputs: npt.NDArray[np.float64] = found.astype(np.float64)
        is_finite = np.isfinite(outputs)
        if not is_finite.all():
            outputs[~is_finite] = np.nan
        return outputs
