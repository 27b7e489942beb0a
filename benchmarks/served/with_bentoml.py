"""A BentoML service of the scikit-learn pipeline: typed requests, one API."""

import json
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import bentoml
import pandas as pd
from pydantic import BaseModel, create_model

from benchmarks.served.asgi import json_body

PATH: Final = "/predict"
_NUMBERS: Final = [f"x{n}" for n in range(20)]
_COLUMNS: Final = [*_NUMBERS, "shop", "country"]
_FIELDS: Final[dict[str, Any]] = {
    **dict.fromkeys(("order_id", "ordered_at", "shop", "country"), (str, ...)),
    **dict.fromkeys(_NUMBERS, (float | None, None)),
}
Order: Any = create_model("Order", __base__=BaseModel, **_FIELDS)


def load(folder: str, model: str) -> Any:
    """The service's application."""

    @bentoml.service(name="orders")
    class Service:
        def __init__(self) -> None:
            self.pipeline = pickle.loads((Path(folder) / f"{model}.pickle").read_bytes())  # noqa: S301 - our own

        @bentoml.api  # type: ignore[untyped-decorator]
        def predict(self, instances: list[Order]) -> list[float]:
            rows = [[getattr(row, name) for name in _COLUMNS] for row in instances]
            frame = pd.DataFrame(rows, columns=_COLUMNS).astype(dict.fromkeys(_NUMBERS, float))
            scores: list[float] = self.pipeline.predict_proba(frame)[:, 1].tolist()
            return scores

    service: Any = Service
    return service.to_asgi()


def request_of(row: Mapping[str, Any], model: str) -> bytes:
    """The body."""
    del model
    return json_body({"instances": [row]})


def output_of(answer: bytes) -> float:
    """The score."""
    score: float = json.loads(answer)[0]
    return score
