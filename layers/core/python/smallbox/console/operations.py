"""The parts that operations of the API's description are made of, in the words of OpenAPI 3.1."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from smallbox.console.answers import ErrorAnswer, ProtocolErrorAnswer
from smallbox.console.json_schema import Schema, object_of, schema_of
from smallbox.error_codes import PROTOCOL_PATH

JSON: Final = "application/json"
BYTES: Final = "application/octet-stream"

REPLAYED_AT: Final[Schema] = {
    "name": "as_of", "in": "query", "required": False, "schema": {"type": "string", "format": "date-time"},
    "description": "the past moment that a replay makes the call at; left out in production",
}  # fmt: skip

_GATEWAY: Final = {
    "403": "not signed, or without a grant",
    "429": "more requests a second than the API takes, or more instances than the consumer's limit; see Retry-After",
}
"""What the API answers before a function is asked; a function has other bodies for the same."""

ERRORS: Final[Mapping[str, Schema]] = {
    "Error": schema_of(ErrorAnswer),
    "ProtocolError": schema_of(ProtocolErrorAnswer),
    "GatewayError": object_of({"message": {"type": "string"}}),
}
"""The schemas of errors, by their name among the components."""


def reference(name: str) -> Schema:
    """A schema among the components."""
    return {"$ref": f"#/components/schemas/{name}"}


def operation(
    route: str,
    summary: str,
    answer: Mapping[str, Schema],
    *,
    status: int = 200,
    parameters: Iterable[Schema] = (),
    body: Mapping[str, Schema] | None = None,
) -> dict[str, Any]:
    """An operation.

    Args:
        route: its method and path.
        summary: what it does.
        answer: the schemas of a successful answer by content type.
        status: the status of that.
        parameters: parameters of the query, the headers and the path.
        body: the schemas of the request's body by content type; ``None`` without one.
    """
    path = route.partition(" ")[2]
    is_protocol = path == PROTOCOL_PATH or path.startswith(f"{PROTOCOL_PATH}/")
    error = "ProtocolError" if is_protocol else "Error"
    found: dict[str, Any] = {
        "operationId": "_".join("".join(c if c.isalnum() else " " for c in route.lower()).split()),
        "summary": summary,
        "responses": {
            str(status): {"description": "it worked", "content": content_of(answer)},
            **{code: _error(said, "GatewayError", error) for code, said in _GATEWAY.items()},
            "4XX": _error("the request is to be corrected; `code` says how", error),
            "5XX": _error("the same request may work later", error),
        },
    }
    if parameters:
        found["parameters"] = list(parameters)
    if body is not None:
        found["requestBody"] = {"required": True, "content": content_of(body)}
    return found


def path_parameter(name: str, schema: Schema) -> Schema:
    """A parameter of the path."""
    return {"name": name, "in": "path", "required": True, "schema": schema}


def content_of(schemas: Mapping[str, Schema]) -> dict[str, Any]:
    """Schemas by content type; bytes have none."""
    return {kind: {"schema": schema} if schema else {} for kind, schema in schemas.items()}


def _error(said: str, *names: str) -> dict[str, Any]:
    schema = reference(names[0]) if len(names) == 1 else {"anyOf": [reference(name) for name in names]}
    return {"description": said, "content": content_of({JSON: schema})}
