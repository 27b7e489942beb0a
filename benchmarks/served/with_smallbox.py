"""The handler of ``functions/serving/predict``, as Lambda calls it, with an event of API Gateway."""

import importlib
import json
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, Final

_EVENT: Final = {
    "version": "2.0",
    "routeKey": "POST /models/{model}/predict",
    "rawQueryString": "",
    "headers": {
        "accept": "*/*", "content-type": "application/json",
        "host": "abcdefghij.execute-api.eu-central-1.amazonaws.com",
        "x-forwarded-for": "192.0.2.1", "x-forwarded-port": "443", "x-forwarded-proto": "https",
    },
    "isBase64Encoded": False,
}  # fmt: skip
_CONTEXT: Final = SimpleNamespace(
    function_name="predict", memory_limit_in_mb=512, aws_request_id="52fdfc07-2182-454f-963f-5f0f9a621d72",
    invoked_function_arn="arn:aws:lambda:eu-central-1:123456789012:function:predict",
)  # fmt: skip


def load(folder: str, model: str) -> Callable[[Any], Any]:
    """The handler of the function's own file."""
    del folder, model
    handler = importlib.import_module("handler").handler
    return lambda event: handler(event, _CONTEXT)


def request_of(row: Mapping[str, Any], model: str) -> dict[str, Any]:
    """The event."""
    path = f"/models/{model}/predict"
    http = {"method": "POST", "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "client"}
    context = {
        "accountId": "123456789012", "apiId": "abcdefghij", "domainName": _EVENT["headers"]["host"],  # type: ignore[index]
        "http": http, "requestId": f"R-{row['order_id']}", "routeKey": _EVENT["routeKey"], "stage": "$default",
        "time": "01/Mar/2024:10:00:00 +0000", "timeEpoch": 1709287200000,
    }  # fmt: skip
    body = json.dumps({"instances": [row]})
    return {**_EVENT, "rawPath": path, "requestContext": context, "pathParameters": {"model": model}, "body": body}


def output_of(answer: Mapping[str, Any]) -> float:
    """The score."""
    if answer["statusCode"] != 200:
        raise RuntimeError(answer["body"])
    score: float = json.loads(answer["body"])["predictions"][0]["score"]
    return score
