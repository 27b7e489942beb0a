"""MLflow's scoring server with the scikit-learn pipeline as it is saved by ``mlflow.sklearn``, with a signature."""

import json
import pickle
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from benchmarks.served.asgi import json_body

PATH: Final = "/invocations"
_NUMBERS: Final = [f"x{n}" for n in range(20)]
_COLUMNS: Final = [*_NUMBERS, "shop", "country"]


def load(folder: str, model: str) -> Any:
    """The server's application, as ``mlflow models serve`` makes it."""
    del model
    from mlflow.pyfunc import load_model, scoring_server  # noqa: PLC0415 - also imported to save the model

    return scoring_server.init(load_model(f"{folder}/mlflow"))


def request_of(row: Mapping[str, Any], model: str) -> bytes:
    """The body."""
    del model
    return json_body({"dataframe_split": {"columns": _COLUMNS, "data": [[row[name] for name in _COLUMNS]]}})


def output_of(answer: bytes) -> float:
    """The score."""
    score: float = json.loads(answer)["predictions"][0][1]
    return score


def save(folder: Path) -> None:
    """Save the pipeline as MLflow's model: once, before anything is measured."""
    import mlflow.sklearn  # noqa: PLC0415
    from mlflow.models import ModelSignature  # noqa: PLC0415
    from mlflow.types import ColSpec, Schema  # noqa: PLC0415

    pipeline = pickle.loads((folder / "plain.pickle").read_bytes())  # noqa: S301 - written by this benchmark
    numbers = [ColSpec("double", name, required=False) for name in _NUMBERS]
    texts = [ColSpec("string", name) for name in ("shop", "country")]
    mlflow.sklearn.save_model(
        pipeline, folder / "mlflow", pyfunc_predict_fn="predict_proba", serialization_format="cloudpickle",
        signature=ModelSignature(inputs=Schema([*numbers, *texts])), pip_requirements=["scikit-learn"],
    )  # fmt: skip


if __name__ == "__main__":
    save(Path(sys.argv[1]))
