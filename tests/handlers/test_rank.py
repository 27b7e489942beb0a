"""Proves that the route of ordered lists reaches the function, and says who has none."""

import json
from typing import Any

from tests.handlers.conftest import event, handler


def test_a_model_that_ranks_nothing_answers_400(aws: dict[str, str]) -> None:
    """The error names the route that answers instead; nothing is logged."""
    request: dict[str, Any] = {**event("api_predict"), "rawPath": "/models/late_arrival/rank"}
    request["requestContext"]["http"] |= {"path": "/models/late_arrival/rank"}
    answer = handler("serving", "predict")(request)
    assert answer["statusCode"] == 400
    error = json.loads(answer["body"])["error"]
    assert error["code"] == "invalid_input"
    assert "/models/late_arrival/predict" in error["message"]
