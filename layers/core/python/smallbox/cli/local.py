"""The local stack for clients: endpoint, credentials, outputs, and signed calls."""

import json
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from smallbox.cli.checkout import state_folder
from smallbox.errors import NotReady

if TYPE_CHECKING:
    from smallbox.cli.signed_requests import SignedHttp

REGION: Final = "us-east-1"
ACCESS_KEY: Final = "smallbox-local"
SECRET_KEY: Final = "smallbox-local-secret"  # noqa: S105 the emulator's own, on this machine only
ACCOUNT: Final = "000000000000"


@dataclass(frozen=True)
class Stack:
    """A running local stack.

    Attributes:
        endpoint_url: the endpoint of all services of the emulator.
        region: its region.
        account: its account.
        api_url: the URL of the HTTP API, without a trailing slash.
        access_key: the key of the account's root.
        secret_key: its secret.
        outputs: the outputs of both CloudFormation stacks by name, like ``LakeBucket``.
        pid: the emulator's process, and its process group.
    """

    endpoint_url: str
    region: str
    account: str
    api_url: str
    access_key: str
    secret_key: str
    outputs: dict[str, str]
    pid: int

    def client(self, service: str, **options: Any) -> Any:
        """A boto3 client for a service of the stack; ``options`` are boto3's."""
        import boto3  # noqa: PLC0415 takes half a second to import

        create: Any = boto3.client  # its stubs want the service's name as a literal
        return create(
            service,
            endpoint_url=self.endpoint_url,
            region_name=self.region,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            **options,
        )

    @cached_property
    def http(self) -> "SignedHttp":
        """A client of the HTTP API that reuses its connections."""
        from smallbox.cli.signed_requests import SignedHttp  # noqa: PLC0415 - as boto3

        return SignedHttp(self.api_url, self.region, self.access_key, self.secret_key)

    def environment(self) -> dict[str, str]:
        """Environment variables that point any AWS tool to the stack."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
        }


def stack() -> Stack:
    """The stack that ``smallbox up`` started.

    Raises:
        NotReady: if there is none.
    """
    file = remembered()
    if not file.is_file():
        raise NotReady("no local stack is running here; start one with `smallbox up`")
    return Stack(**json.loads(file.read_text()))


def remember(running: Stack) -> None:
    """Save the stack for later commands."""
    remembered().write_text(json.dumps(asdict(running), indent=2))


def forget() -> None:
    """Delete the saved stack."""
    remembered().unlink(missing_ok=True)


def remembered() -> Path:
    """The file of the saved stack."""
    return state_folder() / "local.json"
