"""The Open Inference Protocol's routes in a router: HTTP to the library's functions and back."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from smallbox.aws.api import Request, answer
from smallbox.aws.clock import now
from smallbox.serving.binary_tensors import HEADER_LENGTH
from smallbox.serving.inference import ProtocolAnswer, ProtocolRequest

_BYTES: Final = "application/octet-stream"

Respond = Callable[[ProtocolRequest], ProtocolAnswer]


def add_routes(app: APIGatewayHttpResolver, routes: Mapping[str, Respond]) -> None:
    """Let functions of the library answer routes like ``GET /v2/models/{model}``."""
    for route, respond in routes.items():
        method, _, path = route.partition(" ")
        app.route(path.replace("{", "<").replace("}", ">"), method)(_responding(app, respond))


def _responding(app: APIGatewayHttpResolver, respond: Respond) -> Callable[..., Response[Any]]:
    def found(**names: str) -> Response[Any]:
        request = Request.of(app)
        asked = ProtocolRequest(names, request.body, request.headers.get(HEADER_LENGTH), now(), request.id)
        answered = respond(asked)
        if not answered.tensors:
            return answer(HTTPStatus.OK, answered.document)
        body, headers = answered.with_bytes()
        return Response(HTTPStatus.OK, _BYTES, body, dict(headers))

    return found
