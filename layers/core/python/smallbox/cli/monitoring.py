"""``smallbox monitor show``: the checks of a day."""

import argparse
from typing import Any

from smallbox.cli import tables as people
from smallbox.cli.connect import system_of
from smallbox.cli.output import printed


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands."""
    monitor = commands.add_parser("monitor", help="show the checks of a day")
    actions = monitor.add_subparsers(title="actions", required=True, metavar="action")
    show = actions.add_parser("show", help="show the checks of one event day")
    show.add_argument("model")
    show.add_argument("day", help="like 2013-03-05")
    show.set_defaults(run=printed(_show, people.report))


def _show(arguments: argparse.Namespace) -> Any:
    return system_of(arguments).request("GET", f"/models/{arguments.model}/metrics/{arguments.day}")
