"""The Open Inference Protocol's routes in an API: HTTP to the library's functions and back."""

from collections.abc import Callable, Mapping
from typing import Final

from smallbox.aws.api import OK, Api, Request, Response, answer, binary_answer
from smallbox.aws.clock import now
from smallbox.serving.binary_tensors import HEADER_LENGTH
from smallbox.serving.inference import ProtocolAnswer, ProtocolRequest

_BYTES: Final = "application/octet-stream"

Respond = Callable[[ProtocolRequest], ProtocolAnswer]


def add_protocol(api: Api, routes: Mapping[str, Respond]) -> None:
    """Let functions of the library answer routes like ``GET /v2/models/{model}``."""
    for route, respond in routes.items():
        api.add(route, _responding(respond))


def _responding(respond: Respond) -> Callable[[Request], Response]:
    def found(request: Request) -> Response:
        length = request.headers.get(HEADER_LENGTH.lower())
        answered = respond(ProtocolRequest(request.names, request.body, length, now(), request.id, request.consumer))
        if not answered.tensors:
            return answer(OK, answered.document)
        body, headers = answered.with_bytes()
        return binary_answer(OK, _BYTES, body, headers)

    return found
