"""Proves that the routes of the inference protocol take what API Gateway makes of a client's request, and its form."""

import base64
import json
from typing import Any

import pytest

from tests.handlers.conftest import event, handler

MODEL = "late_arrival"


def _asked(route: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> dict[str, Any]:
    """The event of a request that has no content type: API Gateway sends its body in base64."""
    method, _, path = route.partition(" ")
    request = {**event("api_predict"), "rawPath": path, "headers": headers or {}}
    request |= {"body": base64.b64encode(body or b"").decode(), "isBase64Encoded": True} if body else {"body": None}
    request["requestContext"]["http"] |= {"method": method, "path": path}
    return request


@pytest.mark.parametrize(
    ("route", "status", "said"),
    [
        ("GET /v2", 200, '"extensions":["binary_tensor_data"]'),
        ("GET /v2/health/live", 200, '{"live":true}'),
        ("GET /v2/health/ready", 503, "no champion yet"),
        (f"GET /v2/models/{MODEL}", 200, '"versions":[]'),
        ("GET /v2/models/nobody", 404, "nobody"),
        (f"GET /v2/models/{MODEL}/ready", 503, "no champion yet"),
        ("GET /v2/models/nobody/ready", 404, "nobody"),
        (f"GET /v2/models/{MODEL}/versions/1", 503, "no champion yet"),
        (f"GET /v2/models/{MODEL}/versions/1/ready", 503, "no champion yet"),
        ("GET /v2/nowhere", 404, "no such route"),
    ],
)
def test_a_route_answers_before_the_first_champion(aws: dict[str, str], route: str, status: int, said: str) -> None:
    """With its status; and an error is a text, as the protocol's clients read it."""
    answer = handler("serving", "predict")(_asked(route))
    assert (answer["statusCode"], said in answer["body"]) == (status, True)
    error = json.loads(answer["body"]).get("error")
    assert error is None if status == 200 else isinstance(error, str)


@pytest.mark.parametrize("path", [f"/v2/models/{MODEL}/infer", f"/v2/models/{MODEL}/versions/1/infer"])
@pytest.mark.parametrize(
    ("body", "headers", "status", "said"),
    [
        (b'{"inputs": []}', {}, 400, "inputs"),
        (b'{"inputs": [', {}, 400, "not JSON"),
        (b"{}\x00", {"inference-header-content-length": "4"}, 400, "at most the body's 3"),
        (b"{}\x00", {"Inference-Header-Content-Length": "2"}, 400, "inputs"),
    ],
)
def test_a_body_without_a_content_type_is_read(
    aws: dict[str, str], path: str, body: bytes, headers: dict[str, str], status: int, said: str
) -> None:
    """The bytes are the client's, and the header is found however it is written."""
    answer = handler("serving", "predict")(_asked(f"POST {path}", body, headers))
    error = json.loads(answer["body"])
    assert (answer["statusCode"], said in error["error"], error["code"]) == (status, True, "malformed_body")
