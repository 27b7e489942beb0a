"""The exception hierarchy. :mod:`smallbox.error_codes` maps each class to an HTTP status, a code and a retry decision.

    SmallboxError
    ├── DefinitionError        the definition is wrong; raised when it is imported
    ├── InvalidInput           the caller's fault; a retry of the same input fails again
    │   ├── MalformedBody      not JSON, or not the JSON that the route accepts
    │   ├── UnsupportedType    a content type or file type that is not supported
    │   ├── TooLarge           more than the route or the reader accepts
    │   ├── NotFound           no such source, model, version or file
    │   │   └── NotStored      an object is missing from a store that should hold it
    │   ├── ContractViolation  a record breaks its source's contract
    │   └── Forbidden          the caller's credentials are missing, no longer good, or lack a permission
    ├── Conflict               another writer was first; read again and retry
    ├── RateLimited            a consumer is over its rate limit; wait, then retry
    ├── NotReady               a prerequisite does not exist yet (no champion, no data)
    └── Unavailable            a dependency did not answer

Raise the most specific class. Catch ``SmallboxError`` at the edge and look up its policy with ``policy_of``.
"""

from typing import Any


class SmallboxError(Exception):
    """Base class of every error that Smallbox raises on purpose.

    Args:
        message: one sentence: what is wrong, and what to do about it where that is known.
        details: machine-readable context such as field, rule, index or limit; JSON-serialisable.
    """

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class DefinitionError(SmallboxError):
    """The user's definition is wrong; the message names the place and what to write instead."""


class InvalidInput(SmallboxError):
    """The input is wrong; a retry of the same input fails again."""


class MalformedBody(InvalidInput):
    """The body is not JSON, or does not have the shape that the route accepts."""


class UnsupportedType(InvalidInput):
    """The content type or the file type is not supported."""


class TooLarge(InvalidInput):
    """The input is larger than the route or the reader accepts."""


class NotFound(InvalidInput):
    """There is no such source, model, version or file."""


class NotStored(NotFound):
    """An object is missing from its store. API callers never name objects, so they get a 503, not a 404."""


class ContractViolation(InvalidInput):
    """A record breaks its source's contract; details hold field, rule and value."""


class Forbidden(InvalidInput):
    """The caller's credentials are missing, no longer good, or lack a permission; details may hold the action."""


class Conflict(SmallboxError):
    """Optimistic concurrency: another writer was first. Read again, then retry."""


class RateLimited(SmallboxError):
    """A consumer is over its rate limit; details hold ``retry_after``, whole seconds."""


class NotReady(SmallboxError):
    """A prerequisite does not exist yet."""


class Unavailable(SmallboxError):
    """A service that this code depends on did not answer."""
