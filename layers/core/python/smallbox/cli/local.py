"""The local stack: where the emulator of ``smallbox up`` answers, and the keys of its principals."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from smallbox.cli.checkout import state_folder
from smallbox.cli.contexts import LOCAL
from smallbox.cli.stack import Stack
from smallbox.errors import NotReady

REGION: Final = "us-east-1"
ACCESS_KEY: Final = "smallbox-local"
SECRET_KEY: Final = "smallbox-local-secret"  # noqa: S105 the emulator's own, on this machine only
ACCOUNT: Final = "000000000000"


@dataclass(frozen=True, slots=True)
class RunningEmulator:
    """What ``smallbox up`` remembers of the emulator.

    Attributes:
        endpoint_url: the endpoint of all its services.
        pid: its process, and its process group.
        access_key: the key of the operator, who has the managed policy of operators; empty until it is deployed.
        secret_key: its secret.
    """

    endpoint_url: str
    pid: int
    access_key: str = ""
    secret_key: str = ""

    def as_root(self) -> Stack:
        """The stack with the credentials of the account's root: to deploy, to replay and to test."""
        return self._stack(ACCESS_KEY, SECRET_KEY)

    def as_operator(self) -> Stack:
        """The stack with the credentials of an operator, as on AWS.

        Raises:
            NotReady: if its deployment has not ended.
        """
        if not self.access_key:
            raise NotReady("the deployment of the local stack has not ended; deploy again with `smallbox up`")
        return self._stack(self.access_key, self.secret_key)

    def _stack(self, access_key: str, secret_key: str) -> Stack:
        import boto3  # noqa: PLC0415 takes half a second to import

        session: Any = boto3.Session(access_key, secret_key, region_name=REGION)
        return Stack(LOCAL, session, self.endpoint_url)


def running_emulator() -> RunningEmulator:
    """What ``smallbox up`` remembers.

    Raises:
        NotReady: if there is nothing.
    """
    file = remembered()
    if not file.is_file():
        raise NotReady("no local stack is running here; start one with `smallbox up`")
    try:
        return RunningEmulator(**json.loads(file.read_text()))
    except (TypeError, ValueError) as error:
        raise NotReady(f"{file} is not what this version writes; start a local stack with `smallbox up`") from error


def stack() -> Stack:
    """The stack that ``smallbox up`` started, as an operator.

    Raises:
        NotReady: if there is none.
    """
    return running_emulator().as_operator()


def remember(running: RunningEmulator) -> None:
    """Save it for later commands; only this user can read it."""
    file = remembered()
    file.touch(mode=0o600)
    file.write_text(json.dumps(asdict(running), indent=2))


def forget() -> None:
    """Delete what is saved."""
    remembered().unlink(missing_ok=True)


def remembered() -> Path:
    """The file in which it is saved."""
    return state_folder() / "local.json"


def url_by_path(stack: Stack) -> str:
    """The API's URL by path instead of by host name: not every resolver knows names under ``localhost``."""
    api = stack.api_url.partition("://")[2].partition(".")[0]
    return f"{stack.endpoint_url}/_aws/execute-api/{api}"
