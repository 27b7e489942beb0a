"""What each error means to a caller, a queue and an operator: one table of codes, HTTP statuses and deliveries."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from smallbox.errors import (
    Conflict,
    ContractViolation,
    DefinitionError,
    Forbidden,
    InvalidInput,
    MalformedBody,
    NotFound,
    NotReady,
    NotStored,
    RateLimited,
    SmallboxError,
    TooLarge,
    Unavailable,
    UnsupportedType,
)

Delivery = Literal["retry", "drop"]


@dataclass(frozen=True, slots=True)
class Policy:
    """How an error is reported to HTTP callers, and what a queue consumer does with the message.

    Attributes:
        code: the ``code`` in the JSON error body.
        status: the HTTP status of the response.
        delivery: what a queue consumer does with the message: ``retry`` it, or ``drop`` it to quarantine.
        public_message: replaces the error's own message in a response, because that may name stores, tables and keys.
            Empty: the error's own message is shown.
    """

    code: str
    status: int
    delivery: Delivery
    public_message: str = ""


POLICIES: Final[Mapping[type[SmallboxError], Policy]] = {
    DefinitionError: Policy("invalid_definition", 500, "retry"),
    MalformedBody: Policy("malformed_body", 400, "drop"),
    UnsupportedType: Policy("unsupported_type", 415, "drop"),
    TooLarge: Policy("too_large", 413, "drop"),
    NotFound: Policy("not_found", 404, "drop"),
    NotStored: Policy("not_stored", 503, "retry", "a required object is missing from its store; see the log"),
    ContractViolation: Policy("contract_violation", 422, "drop"),
    Forbidden: Policy("forbidden", 403, "drop"),
    InvalidInput: Policy("invalid_input", 400, "drop"),
    Conflict: Policy("conflict", 409, "retry", "another writer changed the same data; try again"),
    RateLimited: Policy("rate_limited", 429, "retry"),
    NotReady: Policy("not_ready", 503, "retry"),
    Unavailable: Policy("unavailable", 503, "retry", "a required service did not answer; try again"),
    SmallboxError: Policy("internal", 500, "retry"),
}


def policy_of(error: BaseException) -> Policy:
    """The policy of the error's nearest ancestor in ``POLICIES``; ``internal`` for an error that is not ours.

    >>> policy_of(NotFound("no such model")).status
    404
    >>> policy_of(ValueError("a bug")).code
    'internal'
    """
    for ancestor in type(error).__mro__:
        if ancestor in POLICIES:
            return POLICIES[ancestor]
    return POLICIES[SmallboxError]


def error_body(error: BaseException) -> dict[str, Any]:
    """The JSON body of an error response or report.

    It never holds a stack trace, the text of an error that is not ours, or the name of a store or of a stored object.

    >>> error_body(NotFound("no such model", model="x"))
    {'error': {'code': 'not_found', 'message': 'no such model', 'details': {'model': 'x'}}}
    >>> error_body(Unavailable("the bucket lake did not answer", key="models/x"))["error"]["message"]
    'a required service did not answer; try again'
    """
    policy = policy_of(error)
    hidden = "internal error; search the log for the request id"
    message, details = policy.public_message or hidden, {}
    if isinstance(error, SmallboxError) and not policy.public_message:
        message, details = error.message, error.details
    return {"error": {"code": policy.code, "message": message, "details": details}}


def error_headers(error: BaseException) -> dict[str, str]:
    """The headers of an error response beside its content type.

    >>> error_headers(RateLimited("too fast", retry_after=2)), error_headers(NotFound("no such model"))
    ({'Retry-After': '2'}, {})
    """
    seconds = error.details.get("retry_after") if isinstance(error, RateLimited) else None
    return {} if seconds is None else {"Retry-After": str(seconds)}


PROTOCOL_PATH: Final = "/v2"
"""The routes of the Open Inference Protocol."""


def route_error_body(error: BaseException, path: str) -> dict[str, Any]:
    """As :func:`error_body`, in the form of the route: on the inference protocol's, ``error`` is a text.

    >>> route_error_body(NotFound("no such model", model="x"), "/v2/models/x")
    {'error': 'no such model', 'code': 'not_found', 'details': {'model': 'x'}}
    """
    body = error_body(error)
    if path != PROTOCOL_PATH and not path.startswith(f"{PROTOCOL_PATH}/"):
        return body
    return {"error": body["error"]["message"], "code": body["error"]["code"], "details": body["error"]["details"]}
