"""`smallbox up` and `smallbox down`: start and stop the whole system on this machine."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from smallbox.cli import emulator, local
from smallbox.cli.check import require_no_mistake
from smallbox.cli.checkout import clean_environment
from smallbox.cli.contract_check import fetch_snapshot, forget_snapshot, require_compatible
from smallbox.cli.deploy import cdk_deploy
from smallbox.cli.output import printed
from smallbox.cli.system import System
from smallbox.define.project import load
from smallbox.errors import NotReady

if TYPE_CHECKING:
    import argparse

    from smallbox.cli.signed_requests import SignedHttp

ASSETS_BUCKET: Final = "smallbox-local-assets"


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``up`` and ``down``."""
    up = subparsers.add_parser("up", help="start the whole system here, or deploy a changed definition to it")
    up.add_argument(
        "--as-of", help="compute the history of new views as of the simulated time of a replay, ISO 8601; default: now"
    )
    up.set_defaults(run=printed(_up, _where_it_is))
    down = subparsers.add_parser("down", help="stop the local system and delete its data")
    down.set_defaults(run=printed(_down, lambda answer: ["stopped" if answer["stopped"] else "nothing was running"]))


def _up(arguments: "argparse.Namespace") -> dict[str, str]:
    require_no_mistake()
    return {"api_url": start_stack(arguments.as_of).api_url}


def _where_it_is(answer: dict[str, str]) -> list[str]:
    return [f"the API answers at {answer['api_url']}", "stop everything with `smallbox down`"]


def _down(_arguments: object) -> dict[str, bool]:
    return {"stopped": stop_stack()}


def start_stack(as_of: str | None = None) -> local.Stack:
    """Start the local stack and deploy to it; deploys again if it is running already.

    After a deployment the backfill computes the history of new and changed views, as of the present or of the simulated
    time of a replay. Versions that serve go on with the views that they were trained with.

    Raises:
        DefinitionError: when the definitions do not fit the contracts that the running stack has.
    """
    before = _running()
    fetch_snapshot("local", local_api())
    require_compatible(load(), "local")
    if before is not None:
        sys.stderr.write("it is running already; deploying to it again\n")
        stack = _deployed(emulator.Emulator(before.pid, int(before.endpoint_url.rsplit(":", 1)[1])))
        _fill(System(stack), {} if as_of is None else {"as_of": as_of})
        fetch_snapshot("local", stack.http)
        return stack
    sys.stderr.write("starting AWS on this machine, then deploying to it; about 20 seconds\n")
    started = emulator.start_emulator()
    try:
        stack = _deployed(started)
        System(stack).run("BackfillMachine", {})  # nothing to compute: makes every view readable from the start
        fetch_snapshot("local", stack.http)
    except BaseException:
        emulator.stop_emulator(started.pid)
        local.forget()
        raise
    return stack


def local_api() -> "SignedHttp | None":
    """The API of the running local stack; ``None`` when none is running, or its deployment never ended."""
    stack = _running()
    return stack.http if stack is not None and "ApiUrl" in stack.outputs else None


def stop_stack() -> bool:
    """Stop the local stack; return whether one was running."""
    before = _running()
    if before is not None:
        emulator.stop_emulator(before.pid)
    local.forget()
    forget_snapshot("local")
    return before is not None


def _fill(system: System, document: dict[str, str]) -> None:
    readable = system.run("BackfillMachine", document)["readable"]
    if readable:
        names = ", ".join(readable)
        sys.stderr.write(f"the history of {names} is computed; a version that needs it: `smallbox train`\n")


@contextmanager
def running() -> Iterator[local.Stack]:
    """A local stack for a block: the running one, or a new one that is stopped after the block."""
    before = _running()
    if before is not None:
        yield before
        return
    try:
        yield start_stack()
    finally:
        stop_stack()


def _running() -> local.Stack | None:
    try:
        stack = local.stack()
    except (NotReady, TypeError, ValueError):
        return None
    return stack if emulator.alive(stack.pid) else None


def _deployed(started: emulator.Emulator) -> local.Stack:
    stack = _stack(started, {})
    local.remember(stack)
    stack.client("s3").create_bucket(Bucket=ASSETS_BUCKET)
    environment = {**clean_environment(), **stack.environment()}
    outputs = cdk_deploy(environment, ["--context", "deployment=local"])
    stack = _stack(started, outputs)
    local.remember(stack)
    return stack


def _stack(started: emulator.Emulator, outputs: dict[str, str]) -> local.Stack:
    return local.Stack(
        endpoint_url=started.url,
        region=local.REGION,
        account=local.ACCOUNT,
        api_url=_by_path(started.url, outputs.get("ApiUrl", "")),
        access_key=local.ACCESS_KEY,
        secret_key=local.SECRET_KEY,
        outputs=outputs,
        pid=started.pid,
    )


def _by_path(endpoint: str, api_url: str) -> str:
    """The API's URL by path instead of by host name: not every resolver knows names under ``localhost``."""
    api = api_url.removeprefix("http://").partition(".")[0]
    return f"{endpoint}/_aws/execute-api/{api}"
