"""`smallbox up` and `smallbox down`: start and stop the whole system on this machine."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from smallbox.cli import emulator, local
from smallbox.cli.check import require_no_mistake
from smallbox.cli.checkout import clean_environment
from smallbox.cli.contexts import LOCAL, require_local
from smallbox.cli.contract_check import fetch_snapshot, forget_snapshot, require_compatible
from smallbox.cli.deploy import cdk_deploy
from smallbox.cli.output import printed
from smallbox.cli.stack import Stack
from smallbox.cli.system import System
from smallbox.define.project import load
from smallbox.errors import NotReady

if TYPE_CHECKING:
    import argparse

    from smallbox.cli.signed_requests import SignedHttp

ASSETS_BUCKET: Final = "smallbox-local-assets"
OPERATOR_USER: Final = "smallbox-operator"
"""The IAM user of the local stack that commands act as."""


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
    require_local(arguments, "up")
    require_no_mistake()
    return {"api_url": local.url_by_path(start_stack(arguments.as_of))}


def _where_it_is(answer: dict[str, str]) -> list[str]:
    return [f"the API answers at {answer['api_url']}", "stop everything with `smallbox down`"]


def _down(arguments: "argparse.Namespace") -> dict[str, bool]:
    require_local(arguments, "down")
    return {"stopped": stop_stack()}


def start_stack(as_of: str | None = None) -> Stack:
    """Start the local stack and deploy to it, as the account's root; deploys again if it is running already.

    After a deployment the backfill computes the history of new and changed views, as of the present or of the simulated
    time of a replay. Versions that serve go on with the views that they were trained with.

    Raises:
        DefinitionError: when the definitions do not fit the contracts that the running stack has.
    """
    before = _running()
    fetch_snapshot(LOCAL, local_api())
    require_compatible(load(), LOCAL)
    if before is not None:
        sys.stderr.write("it is running already; deploying to it again\n")
        stack = _deployed(before)
        _fill(System(stack), {} if as_of is None else {"as_of": as_of})
        fetch_snapshot(LOCAL, stack.http)
        return stack
    sys.stderr.write("starting AWS on this machine, then deploying to it; about 20 seconds\n")
    started = emulator.start_emulator()
    try:
        stack = _first_deployed(local.RunningEmulator(started.url, started.pid))
        System(stack).run("BackfillMachine", {})  # nothing to compute: makes every view readable from the start
        fetch_snapshot(LOCAL, stack.http)
    except BaseException:
        emulator.stop_emulator(started.pid)
        local.forget()
        raise
    return stack


def local_api() -> "SignedHttp | None":
    """The API of the running local stack; ``None`` when none is running, or its deployment never ended."""
    running = _running()
    return None if running is None else running.as_root().api()


def stop_stack() -> bool:
    """Stop the local stack; return whether one was running."""
    before = _running()
    if before is not None:
        emulator.stop_emulator(before.pid)
    local.forget()
    forget_snapshot(LOCAL)
    return before is not None


def _fill(system: System, document: dict[str, str]) -> None:
    readable = system.run("BackfillMachine", document)["readable"]
    if readable:
        names = ", ".join(readable)
        sys.stderr.write(f"the history of {names} is computed; a version that needs it: `smallbox train`\n")


@contextmanager
def running() -> Iterator[Stack]:
    """A local stack for a block, as root: the running one, or a new one that is stopped after the block."""
    before = _running()
    if before is not None:
        yield before.as_root()
        return
    try:
        yield start_stack()
    finally:
        stop_stack()


def _running() -> local.RunningEmulator | None:
    try:
        found = local.running_emulator()
    except NotReady:
        return None
    return found if emulator.alive(found.pid) else None


def _first_deployed(started: local.RunningEmulator) -> Stack:
    local.remember(started)
    started.as_root().client("s3").create_bucket(Bucket=ASSETS_BUCKET)
    return _deployed(started)


def _deployed(running: local.RunningEmulator) -> Stack:
    stack = running.as_root()
    outputs = cdk_deploy({**clean_environment(), **stack.environment()}, ["--context", "deployment=local"])
    if not running.access_key:
        access_key, secret_key = _operator(stack, outputs["OperatorPolicy"])
        local.remember(replace(running, access_key=access_key, secret_key=secret_key))
    return stack


def _operator(stack: Stack, policy: str) -> tuple[str, str]:
    """The keys of a new user with the managed policy of operators: local commands may do what they may do on AWS."""
    iam = stack.client("iam")
    iam.create_user(UserName=OPERATOR_USER)
    iam.attach_user_policy(UserName=OPERATOR_USER, PolicyArn=policy)
    key = iam.create_access_key(UserName=OPERATOR_USER)["AccessKey"]
    return key["AccessKeyId"], key["SecretAccessKey"]
