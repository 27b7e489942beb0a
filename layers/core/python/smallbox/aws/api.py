"""Shared code of the HTTPS functions: routing, JSON error responses, and the moment that a request is for."""

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response, content_types

from smallbox.aws.clock import now
from smallbox.aws.logs import log_failure, logger
from smallbox.error_codes import policy_of, route_error_body
from smallbox.errors import MalformedBody, NotFound
from smallbox.times import Moment, replayed

OK = 200
SERVER_ERROR = 500


def answer(status: int, document: Mapping[str, Any]) -> Response[str]:
    """A JSON response."""
    return Response(status, content_types.APPLICATION_JSON, json.dumps(document, separators=(",", ":")))


def resolver() -> APIGatewayHttpResolver:
    """A router that turns exceptions into error responses, by the table in :mod:`smallbox.error_codes`."""
    app = APIGatewayHttpResolver()

    def failed(error: Exception) -> Response[str]:
        status = policy_of(error).status
        if status >= SERVER_ERROR:
            log_failure("request failed", error)
        return answer(status, route_error_body(error, app.current_event.path))

    app.exception_handler(Exception)(failed)
    app.not_found(lambda _: failed(NotFound("there is no such route")))
    return app


def add_answers(app: APIGatewayHttpResolver, answers: Mapping[str, Callable[..., Mapping[str, Any]]]) -> None:
    """Let functions answer routes like ``GET /models/{model}``; they take the path's parameters by name."""
    for route, found in answers.items():
        add_route(app, route, lambda found=found, **names: answer(OK, found(**names)))


def add_route(app: APIGatewayHttpResolver, route: str, respond: Callable[..., Response[Any]]) -> None:
    """Let a function respond to a route that is written as API Gateway does, like ``GET /models/{model}``."""
    method, _, path = route.partition(" ")
    app.route(path.replace("{", "<").replace("}", ">"), method)(respond)


def entry(app: APIGatewayHttpResolver) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    """The Lambda handler of a router; it logs route and status of each response."""

    @logger.inject_lambda_context
    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        answered = app.resolve(event, context)
        logger.info("answered", extra={"route": event.get("routeKey"), "status": answered.get("statusCode")})
        return answered

    return handler


def request_moment(text: str | None) -> Moment:
    """The moment that a request is for: the present, or the past moment of a replay.

    Args:
        text: the request's ``as_of``; ``None`` for the present.

    Raises:
        MalformedBody: when it is not a moment, or is in the future.
    """
    if text is None:
        return Moment(now())
    try:
        return replayed(text, now())
    except ValueError as error:
        raise MalformedBody(f"as_of: {error}; name a past moment, ISO 8601 with an offset", field="as_of") from error


def _from_base64(raw: bytes) -> bytes:
    try:
        return base64.b64decode(raw, validate=True)
    except binascii.Error as error:
        raise MalformedBody(f"the request declares a base64 body, but it is not base64: {error}") from error


@dataclass(frozen=True, slots=True)
class Request:
    """The parts of an HTTP request that routes use.

    Attributes:
        id: API Gateway's request id.
        body: the decoded body.
        content_type: the ``content-type`` header; ``None`` without one.
        parameters: the query parameters.
        headers: all headers; names in any case.
    """

    id: str
    body: bytes
    content_type: str | None
    parameters: Mapping[str, str]
    headers: Mapping[str, str]

    @classmethod
    def of(cls, app: APIGatewayHttpResolver) -> "Request":
        """The router's current request.

        Raises:
            MalformedBody: when the body is declared as base64 but is not.
        """
        event = app.current_event
        raw = (event.body or "").encode("utf-8", "surrogatepass")
        body = _from_base64(raw) if event.is_base64_encoded else raw
        return cls(
            event.request_context.request_id,
            body,
            event.headers.get("content-type"),
            event.query_string_parameters,
            event.headers,
        )

    def query(self, name: str) -> str | None:
        """A query parameter; ``None`` when it is not given."""
        return self.parameters.get(name)

    def document(self) -> Any:
        """The body as JSON.

        Raises:
            MalformedBody: when it is not JSON.
        """
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise MalformedBody(f"the body is not JSON: {error}") from error
