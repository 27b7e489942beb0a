"""boto3 clients, one of each a process."""

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
    """The process's client of a service."""
    make: Any = boto3.client  # its overloads know literal names only
    return make(service, config=_CONFIG)


def code_of(error: BaseException) -> str:
    """The code that AWS gave an error; empty when it gave none."""
    response = getattr(error, "response", {})
    code: str = response.get("Error", {}).get("Code", "")
    return code


def reason_of(error: BaseException) -> str:
    """What may be said of an error of botocore: its kind, and what was asked. Its text can repeat what was sent.

    >>> reason_of(ClientError({"Error": {"Code": "Throttling", "Message": "item x"}}, "PutItem"))
    'Throttling of PutItem'
    """
    code = code_of(error)
    return f"{code} of {getattr(error, 'operation_name', 'a request')}" if code else type(error).__name__


def credentials(*, anew: bool) -> Any:
    """Botocore's credentials, those of the clients; or looked for anew, past what the process has kept.

    They refresh themselves where they can; ``None`` where there are none.
    """
    if anew or boto3.DEFAULT_SESSION is None:
        return get_session().get_credentials()
    return boto3.DEFAULT_SESSION.get_credentials()
