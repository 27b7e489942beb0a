"""``smallbox wait``: waits until all queues are empty."""

import argparse
import time
from typing import Any, Final

from smallbox.cli.connect import system_of
from smallbox.cli.output import printed
from smallbox.cli.system import System

_SECONDS: Final = 120


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    waiter = commands.add_parser("wait", help="wait until all records sent are in the lake and the online store")
    waiter.add_argument("--timeout", type=float, default=_SECONDS, help=f"in seconds; default: {_SECONDS}")
    waiter.set_defaults(run=printed(_wait))


def _wait(arguments: argparse.Namespace) -> Any:
    return wait(system_of(arguments), arguments.timeout)


def wait(system: System, seconds: float) -> dict[str, Any]:
    """Wait until every queue is empty; return the time it took, and the number of dead letters.

    Raises:
        Unavailable: after ``seconds``; names the queue.
    """
    began = time.monotonic()
    system.drain(seconds=seconds)
    return {"waited_seconds": round(time.monotonic() - began, 2), "dead_letters": system.dead_letters()}
