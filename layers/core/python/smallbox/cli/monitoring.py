"""``smallbox monitor show`` (checks of a day) and ``monitor accept`` (new drift reference)."""

import argparse
import getpass
from typing import Any

from smallbox.cli import tables as people
from smallbox.cli.connect import system_of
from smallbox.cli.output import printed
from smallbox.records import CHANNELS


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands."""
    monitor = commands.add_parser("monitor", help="show the checks of a day, or accept a new drift reference")
    actions = monitor.add_subparsers(title="actions", required=True, metavar="action")
    show = actions.add_parser("show", help="show the checks of one event day")
    show.add_argument("model")
    show.add_argument("day", help="like 2013-03-05")
    show.set_defaults(run=printed(_show, people.report))
    accept = actions.add_parser(
        "accept",
        help="use the week of the latest report as the drift reference from now on, until the champion changes",
    )
    accept.add_argument("model")
    accept.add_argument("--why", required=True, help="the reason, for the model's history")
    accept.add_argument(
        "--channel", choices=CHANNELS, default="online", help="the channel of the predictions; default: online"
    )
    accept.set_defaults(run=printed(_accept))


def _show(arguments: argparse.Namespace) -> Any:
    return system_of(arguments).request("GET", f"/models/{arguments.model}/metrics/{arguments.day}")


def _accept(arguments: argparse.Namespace) -> Any:
    document = {"model": arguments.model, "why": arguments.why, "channel": arguments.channel, "by": getpass.getuser()}
    return system_of(arguments).accept(document)
