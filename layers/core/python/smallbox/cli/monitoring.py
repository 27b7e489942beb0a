"""``smallbox monitor show`` and ``monitor accept``: the checks of a day, and what drift is measured against."""

import argparse
import getpass
from typing import Any

from smallbox.cli import people
from smallbox.cli.local import stack
from smallbox.cli.output import printed
from smallbox.cli.system import System
from smallbox.records import CHANNELS


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands."""
    monitor = commands.add_parser("monitor", help="the checks of a day, and what drift is measured against")
    actions = monitor.add_subparsers(title="actions", required=True, metavar="action")
    show = actions.add_parser("show", help="the checks of one event day")
    show.add_argument("model")
    show.add_argument("day", help="like 2013-03-05")
    show.set_defaults(run=printed(_show, people.report))
    accept = actions.add_parser(
        "accept", help="drift is measured against the week of the latest report from now on, until the champion changes"
    )
    accept.add_argument("model")
    accept.add_argument("--why", required=True, help="why the present is right; it stands in the model's history")
    accept.add_argument("--channel", choices=CHANNELS, default="online", help="whose predictions; online by default")
    accept.set_defaults(run=printed(_accept))


def _show(arguments: argparse.Namespace) -> Any:
    return System(stack()).request("GET", f"/models/{arguments.model}/metrics/{arguments.day}")


def _accept(arguments: argparse.Namespace) -> Any:
    document = {"model": arguments.model, "why": arguments.why, "channel": arguments.channel, "by": getpass.getuser()}
    return System(stack()).accept(document)
