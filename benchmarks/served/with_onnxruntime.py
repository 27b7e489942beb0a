"""One call of onnxruntime, whose input arrays are there: the floor."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime as ort

NUMBERS: Final = tuple(f"x{n}" for n in range(20))
TEXTS: Final = ("shop", "country")


def session(content: bytes) -> Any:
    """The model with one thread, as Smallbox runs it: a row takes less than waking another."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def load(folder: str, model: str) -> Callable[[Any], Any]:
    """The call."""
    run = session((Path(folder) / "objects" / f"{model}.onnx").read_bytes()).run
    return lambda feeds: run(None, feeds)[0]


def request_of(row: Mapping[str, Any], model: str) -> dict[str, Any]:
    """The arrays."""
    del model
    numbers = [np.nan if row[name] is None else row[name] for name in NUMBERS]
    texts = [row[name] for name in TEXTS]
    return {"numeric": np.array([numbers], np.float32), "categorical": np.array([texts], object)}


def output_of(answer: Any) -> float:
    """The score."""
    return float(answer[0, 0])
