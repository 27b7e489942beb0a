"""Shared code of the HTTPS functions: routes, JSON error responses, and the moment that a request is for."""

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from smallbox.aws.callers import consumer_of
from smallbox.aws.clock import now
from smallbox.aws.logs import log_failure, log_line
from smallbox.aws.replays import check_may_replay
from smallbox.error_codes import error_headers, policy_of, route_error_body
from smallbox.errors import MalformedBody, NotFound
from smallbox.records import COMPACT_JSON
from smallbox.request_sizes import check_body_size
from smallbox.times import Moment, replayed

OK: Final = 200
SERVER_ERROR: Final = 500

Response = dict[str, Any]
"""A response as API Gateway reads it: status, headers and body."""


def answer(status: int, document: Mapping[str, Any]) -> Response:
    """A JSON response."""
    body = COMPACT_JSON.encode(document)
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json"},
        "body": body,
        "isBase64Encoded": False,
    }


def binary_answer(status: int, content_type: str, body: bytes, headers: Mapping[str, str]) -> Response:
    """A response of bytes."""
    return {
        "statusCode": status,
        "headers": {"Content-Type": content_type, **headers},
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
    }


class Api:
    """The routes of a function; also its Lambda handler.

    API Gateway has matched the route already, and says which one it was: a dictionary finds the function. Exceptions
    become error responses by the table in :mod:`smallbox.error_codes`. Each response is logged with its route and
    status.
    """

    def __init__(self) -> None:
        self._routes: dict[str, Callable[[Request], Response]] = {}

    @property
    def routes(self) -> tuple[str, ...]:
        """The routes that it has."""
        return tuple(self._routes)

    def add(self, route: str, respond: Callable[["Request"], Response]) -> None:
        """Let a function respond to a route that is written as API Gateway does, like ``GET /models/{model}``."""
        self._routes[route] = respond

    def add_answers(self, answers: Mapping[str, Callable[..., Mapping[str, Any]]]) -> None:
        """Let functions answer routes; they take the path's parameters by name."""
        for route, found in answers.items():
            self.add(route, _answering(found))

    def __call__(self, event: Mapping[str, Any], context: Any) -> Response:
        """Respond to an event of API Gateway (HTTP API, payload format 2.0)."""
        route, request_id = event.get("routeKey", ""), getattr(context, "aws_request_id", "")
        try:
            response = self._respond(route, event)
        except Exception as error:  # noqa: BLE001 - every error has its response
            response = answer(policy_of(error).status, route_error_body(error, event.get("rawPath", "")))
            response["headers"] |= error_headers(error)
            if response["statusCode"] >= SERVER_ERROR:
                log_failure("request failed", error, function_request_id=request_id, route=route)
        log_line("answered", function_request_id=request_id, route=route, status=response["statusCode"])
        return response

    def _respond(self, route: str, event: Mapping[str, Any]) -> Response:
        if route not in self._routes:
            raise NotFound("there is no such route")
        return self._routes[route](Request.of(event))


def _answering(found: Callable[..., Mapping[str, Any]]) -> Callable[["Request"], Response]:
    return lambda request: answer(OK, found(**request.names))


def request_moment(request: "Request", as_of: str) -> Moment:
    """The moment that a request is for: the present, or the past moment of a replay, its ``as_of``.

    Args:
        request: the request.
        as_of: the deployment's setting; see :mod:`smallbox.aws.replays`.

    Raises:
        Forbidden: when it names a moment and may not.
        MalformedBody: when that is not a moment, or is in the future.
    """
    text = request.query("as_of")
    if text is None:
        return Moment(now())
    check_may_replay(as_of, request.stage)
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
        headers: all headers, by lower-case name.
        names: the parameters of the path.
        stage: the stage of the API that it came by.
        consumer: who calls; see :func:`~smallbox.aws.callers.consumer_of`.
    """

    id: str
    body: bytes
    content_type: str | None
    parameters: Mapping[str, str]
    headers: Mapping[str, str]
    names: Mapping[str, str]
    stage: str
    consumer: str

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> "Request":
        """The request of an event.

        Raises:
            MalformedBody: when the body is declared as base64 but is not.
            TooLarge: when the body is; see :mod:`smallbox.request_sizes`.
        """
        raw = (event.get("body") or "").encode("utf-8", "surrogatepass")
        body = _from_base64(raw) if event.get("isBase64Encoded") else raw
        check_body_size(len(body))
        context = event["requestContext"]
        headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
        return cls(
            context["requestId"],
            body,
            headers.get("content-type"),
            event.get("queryStringParameters") or {},
            headers,
            event.get("pathParameters") or {},
            context.get("stage", ""),
            consumer_of(context),
        )

    @property
    def is_fresh(self) -> bool:
        """Whether the caller wants nothing that is remembered: the header ``Cache-Control: no-cache``."""
        return "no-cache" in self.headers.get("cache-control", "").lower()

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
