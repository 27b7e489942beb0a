"""``smallbox release``: start a canary, promote or roll back a version by hand."""

import argparse
import getpass
from typing import Any

from smallbox.cli.connect import system_of
from smallbox.cli.output import printed
from smallbox.registry.routing import ACTIONS


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    releaser = commands.add_parser("release", help="start a canary, promote, roll back or retire a version by hand")
    releaser.add_argument("model")
    releaser.add_argument("action", choices=ACTIONS)
    releaser.add_argument(
        "version", type=int, nargs="?", help="may be left out for roll-back: the canary's, else the champion's"
    )
    releaser.add_argument("--why", required=True, help="the reason, for the history")
    releaser.add_argument("--as-of", help="the simulated time of a replay, ISO 8601; default: now")
    releaser.set_defaults(run=printed(_release))


def _release(arguments: argparse.Namespace) -> Any:
    names = ("model", "action", "version", "why", "as_of")
    document = {name: getattr(arguments, name) for name in names if getattr(arguments, name) is not None}
    return system_of(arguments).release({**document, "who": getpass.getuser()})
