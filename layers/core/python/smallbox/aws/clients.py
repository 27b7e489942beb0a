"""boto3 clients: one per service and process."""

from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import get_session

_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 4},
    connect_timeout=2,
    read_timeout=20,
    tcp_keepalive=True,
)

AwsErrors = (BotoCoreError, ClientError)


@cache
def client(service: str) -> Any:
    """The process's client for a service; cached."""
    make: Any = boto3.client  # its overloads know literal names only
    return make(service, config=_CONFIG)


def code_of(error: BaseException) -> str:
    """The AWS error code of an exception; empty when it has none."""
    response = getattr(error, "response", {})
    code: str = response.get("Error", {}).get("Code", "")
    return code


def reason_of(error: BaseException) -> str:
    """Describe a botocore error without its text, which may repeat (personal) values of the request.

    >>> reason_of(ClientError({"Error": {"Code": "Throttling", "Message": "item x"}}, "PutItem"))
    'Throttling of PutItem'
    """
    code = code_of(error)
    return f"{code} of {getattr(error, 'operation_name', 'a request')}" if code else type(error).__name__


def credentials(*, anew: bool) -> Any:
    """Botocore's self-refreshing credentials; ``None`` when there are none.

    Args:
        anew: search for credentials again, instead of using those that the process's clients hold.
    """
    if anew or boto3.DEFAULT_SESSION is None:
        return get_session().get_credentials()
    return boto3.DEFAULT_SESSION.get_credentials()
