"""``smallbox release``: start a canary, promote or roll back a version by hand."""

import argparse
import getpass
from typing import Any

from smallbox.cli.local import stack
from smallbox.cli.output import printed
from smallbox.cli.system import System
from smallbox.release.by_hand import ACTIONS


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    releaser = commands.add_parser("release", help="start a canary, promote or roll back a version by hand")
    releaser.add_argument("model")
    releaser.add_argument("action", choices=ACTIONS)
    releaser.add_argument("version", type=int)
    releaser.add_argument("--why", required=True, help="the reason, for the history")
    releaser.add_argument("--as-of", help="the simulated time of a replay, ISO 8601; default: now")
    releaser.set_defaults(run=printed(_release))


def _release(arguments: argparse.Namespace) -> Any:
    document = {name: getattr(arguments, name) for name in ("model", "action", "version", "why")}
    as_of = {} if arguments.as_of is None else {"as_of": arguments.as_of}
    return System(stack()).release({**document, **as_of, "who": getpass.getuser()})
