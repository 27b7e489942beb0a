"""The Open Inference Protocol's routes in a router: HTTP to the library's functions and back."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from smallbox.aws.api import OK, Request, add_route, answer
from smallbox.aws.clock import now
from smallbox.serving.binary_tensors import HEADER_LENGTH
from smallbox.serving.inference import ProtocolAnswer, ProtocolRequest

_BYTES: Final = "application/octet-stream"

Respond = Callable[[ProtocolRequest], ProtocolAnswer]


def add_protocol(app: APIGatewayHttpResolver, routes: Mapping[str, Respond]) -> None:
    """Let functions of the library answer routes like ``GET /v2/models/{model}``."""
    for route, respond in routes.items():
        add_route(app, route, _responding(app, respond))


def _responding(app: APIGatewayHttpResolver, respond: Respond) -> Callable[..., Response[Any]]:
    def found(**names: str) -> Response[Any]:
        request = Request.of(app)
        asked = ProtocolRequest(names, request.body, request.headers.get(HEADER_LENGTH), now(), request.id)
        answered = respond(asked)
        if not answered.tensors:
            return answer(OK, answered.document)
        body, headers = answered.with_bytes()
        return Response(OK, _BYTES, body, dict(headers))

    return found
