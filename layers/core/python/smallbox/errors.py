"""One error tree, and one table that says what each error means to a caller, a queue and an operator.

    SmallboxError
    ├── DefinitionError        the definition is wrong; raised when it is imported
    ├── InvalidInput           the caller's fault; sending it again changes nothing
    │   ├── MalformedBody      not JSON, or not the JSON that the route takes
    │   ├── UnsupportedType    a content type or file type that is not read
    │   ├── TooLarge           more than the route or the reader takes
    │   ├── NotFound           no such source, model, version or file
    │   │   └── NotStored      an object that should lie in a store does not
    │   └── ContractViolation  a record breaks its source's contract
    ├── Conflict               somebody else wrote first; read again and retry
    ├── NotReady               what it needs is not there yet (no champion, no data)
    └── Unavailable            a service it depends on did not answer

Raise the leaf that fits; catch ``SmallboxError`` at the edge and look it up with ``policy_of``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

Delivery = Literal["retry", "drop"]


class SmallboxError(Exception):
    """Base of every error that Smallbox raises on purpose.

    Args:
        message: one sentence for the reader, saying what to do where that is known.
        details: what a program may want: field, rule, index, limits. JSON-ready.
    """

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class DefinitionError(SmallboxError):
    """The user's definition is wrong: names the place and says what to write instead."""


class InvalidInput(SmallboxError):
    """The input is wrong, whoever sends it again."""


class MalformedBody(InvalidInput):
    """The body is not JSON, or not of the form that the route takes."""


class UnsupportedType(InvalidInput):
    """The content type or the file type is not one that is read."""


class TooLarge(InvalidInput):
    """More than the route or the reader takes at once."""


class NotFound(InvalidInput):
    """There is no such source, model, version or file."""


class NotStored(NotFound):
    """An object is not in its store. A caller of the API did not name it, so to them it is our fault."""


class ContractViolation(InvalidInput):
    """A record breaks its source's contract; details hold field, rule and value."""


class Conflict(SmallboxError):
    """Somebody else wrote first: read again, then retry."""


class NotReady(SmallboxError):
    """What this needs does not exist yet."""


class Unavailable(SmallboxError):
    """A service this depends on did not answer."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What an error means outside.

    Attributes:
        code: the ``code`` in the JSON error body.
        status: the HTTP status of an answer.
        delivery: what a queue consumer does with the message: ``retry`` it or ``drop`` it to quarantine.
        told: what an answer says in place of the error's own message, which may name stores, tables and keys.
    """

    code: str
    status: int
    delivery: Delivery
    told: str = ""


POLICIES: Final[Mapping[type[SmallboxError], Policy]] = {
    DefinitionError: Policy("invalid_definition", 500, "retry"),
    MalformedBody: Policy("malformed_body", 400, "drop"),
    UnsupportedType: Policy("unsupported_type", 415, "drop"),
    TooLarge: Policy("too_large", 413, "drop"),
    NotFound: Policy("not_found", 404, "drop"),
    NotStored: Policy("not_stored", 503, "retry", "something that this needs is not stored; see the log"),
    ContractViolation: Policy("contract_violation", 422, "drop"),
    InvalidInput: Policy("invalid_input", 400, "drop"),
    Conflict: Policy("conflict", 409, "retry", "somebody else wrote at the same time; try again"),
    NotReady: Policy("not_ready", 503, "retry"),
    Unavailable: Policy("unavailable", 503, "retry", "a service that this needs did not answer; try again"),
    SmallboxError: Policy("internal", 500, "retry"),
}


def policy_of(error: BaseException) -> Policy:
    """The policy of an error's nearest ancestor in the table; an error that is not ours is ``internal``.

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
    """The JSON body of an error answer or report.

    It never has a stack trace, the text of an error that is not ours, or the name of a store or of an object in one.

    >>> error_body(NotFound("no such model", model="x"))
    {'error': {'code': 'not_found', 'message': 'no such model', 'details': {'model': 'x'}}}
    >>> error_body(Unavailable("the bucket lake did not answer", key="models/x"))["error"]["message"]
    'a service that this needs did not answer; try again'
    """
    policy = policy_of(error)
    message, details = policy.told or "something went wrong on our side; the request id finds it in the log", {}
    if isinstance(error, SmallboxError) and not policy.told:
        message, details = error.message, error.details
    return {"error": {"code": policy.code, "message": message, "details": details}}
