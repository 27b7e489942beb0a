"""Who calls, and on which stage of the API: from the event's request context, which only API Gateway writes."""

from collections.abc import Mapping
from typing import Any, Final

NOBODY: Final = "unknown"
"""The consumer of a request without an IAM identity. The API lets none through; they would share one limit."""

_SESSION: Final = "assumed-role/"
_FEDERATED: Final = "federated-user/"


def consumer_of(context: Mapping[str, Any]) -> str:
    """The consumer of a request, like ``123456789012:role/shop``: an IAM role or user, without its session.

    All sessions of a role are one consumer, because who assumes a role names the session: counted by session, a caller
    would have a new limit whenever it wanted one. Federated users are one consumer of their account for that reason.

    >>> arn = "arn:aws:sts::123456789012:assumed-role/shop/i-0abc"
    >>> consumer_of({"authorizer": {"iam": {"userArn": arn}}})
    '123456789012:role/shop'

    Args:
        context: the ``requestContext`` of an event, payload format 2.0.
    """
    arn = ((context.get("authorizer") or {}).get("iam") or {}).get("userArn") or ""
    parts = arn.split(":", 5)
    if len(parts) != 6:  # noqa: PLR2004 - the parts of an ARN
        return NOBODY
    account, name = parts[4], parts[5]
    if name.startswith(_SESSION):
        name = "role/" + name.removeprefix(_SESSION).partition("/")[0]
    elif name.startswith(_FEDERATED):
        name = _FEDERATED.rstrip("/")
    return f"{account}:{name}"
