"""boto3 clients: one per service and process."""

from functools import cache
from typing import Any


@cache
def client(service: str) -> Any:
    """The process's client for a service; cached."""
    import boto3  # noqa: PLC0415 - takes 0.2 s of a cold start; a prediction does without it
    from botocore.config import Config  # noqa: PLC0415 - as boto3

    config = Config(
        retries={"mode": "standard", "total_max_attempts": 4}, connect_timeout=2, read_timeout=20, tcp_keepalive=True
    )
    make: Any = boto3.client  # its overloads know literal names only
    return make(service, config=config)


def aws_errors() -> tuple[type[Exception], ...]:
    """The errors that boto3's clients raise."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - as boto3

    return BotoCoreError, ClientError


def code_of(error: BaseException) -> str:
    """The AWS error code of an exception; empty when it has none."""
    response = getattr(error, "response", {})
    code: str = response.get("Error", {}).get("Code", "")
    return code


def reason_of(error: BaseException) -> str:
    """Describe a botocore error without its text, which may repeat (personal) values of the request.

    >>> from botocore.exceptions import ClientError
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
    import boto3  # noqa: PLC0415 - as above
    from botocore.session import get_session  # noqa: PLC0415 - as boto3

    if anew or boto3.DEFAULT_SESSION is None:
        return get_session().get_credentials()
    return boto3.DEFAULT_SESSION.get_credentials()
