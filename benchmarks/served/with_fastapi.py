"""A FastAPI application that answers with onnxruntime: typed requests, one route, the same ONNX model.

With the environment variable ``WITH_CLIENTS`` it does at start what a function on AWS does: it makes boto3's clients of
DynamoDB, SQS and S3, and gets the model from the bucket. Its route reads no store and logs nothing.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from fastapi import FastAPI
from pydantic import BaseModel, create_model

from benchmarks.served.asgi import json_body
from benchmarks.served.with_onnxruntime import NUMBERS, TEXTS, session

PATH: Final = "/predict"
_FIELDS: Final[dict[str, Any]] = {
    **dict.fromkeys(("order_id", "ordered_at", *TEXTS), (str, ...)),
    **dict.fromkeys(NUMBERS, (float | None, None)),
}
Order: Any = create_model("Order", **_FIELDS)


class Orders(BaseModel):
    """The body of a request."""

    instances: list[Order]


def load(folder: str, model: str) -> Any:
    """The application."""
    run, app = session(_content(folder, model)).run, FastAPI()

    @app.post(PATH)  # type: ignore[untyped-decorator]
    async def predict(orders: Orders) -> dict[str, Any]:
        rows = orders.instances
        numeric = np.array([[getattr(row, name) for name in NUMBERS] for row in rows], np.float32)
        categorical = np.array([[getattr(row, name) for name in TEXTS] for row in rows], object)
        scores = run(None, {"numeric": numeric, "categorical": categorical})[0][:, 0].tolist()
        return {"predictions": [{"id": row.order_id, "score": s} for row, s in zip(rows, scores, strict=True)]}

    return app


def _content(folder: str, model: str) -> bytes:
    if "WITH_CLIENTS" not in os.environ:
        return (Path(folder) / "objects" / f"{model}.onnx").read_bytes()
    import boto3  # noqa: PLC0415 - only one of the two ways has it

    make: Any = boto3.client  # its overloads know literal names only
    clients = {name: make(name) for name in ("dynamodb", "sqs", "s3")}
    content: bytes = clients["s3"].get_object(Bucket="lake", Key=f"{model}.onnx")["Body"].read()
    return content


def request_of(row: Mapping[str, Any], model: str) -> bytes:
    """The body."""
    del model
    return json_body({"instances": [row]})


def output_of(answer: bytes) -> float:
    """The score."""
    score: float = json.loads(answer)["predictions"][0]["score"]
    return score
