"""``smallbox release``: what runs, with its evidence; start, hold or end a release, and promote a version by hand."""

import argparse
import getpass
from typing import Any, Final

from smallbox.cli.connect import system_of
from smallbox.cli.output import printed
from smallbox.cli.release_tables import release_blocks
from smallbox.release.looks import OFF_POLICY, RUNGS, USUAL_DAYS

_HELP: Final = {
    "start": "begin the release of a version, or take the one in the shadow up to its canary",
    "promote": "make a version champion",
    "roll-back": "end the canary; without one, make the champion before champion again; ends a shadow that is named",
    "hold": "keep the running release where it is; harm still ends a canary",
    "resume": "let a held release move on",
    "retire": "give up a version that waits, or the champion before",
}

_VERSION: Final = {
    "start": "the version",
    "retire": "the version",
    "roll-back": "default: the version in the canary, else the champion",
}


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    releaser = commands.add_parser("release", help="show a model's release and its evidence, and change it by hand")
    actions = releaser.add_subparsers(dest="action", required=True, metavar="ACTION")
    show = actions.add_parser("show", help="the rungs of the running release, or of the last one, with their evidence")
    show.add_argument("model")
    show.add_argument("version", type=int, nargs="?", help="the release of this version; default: the newest")
    show.set_defaults(run=printed(_show, release_blocks))
    judged = actions.add_parser("off-policy", help="judge a version on shuffled lists that it did not order")
    judged.add_argument("model")
    judged.add_argument("version", type=int)
    judged.add_argument("--days", type=int, default=USUAL_DAYS, help=f"how far back; default: {USUAL_DAYS}")
    judged.add_argument("--as-of", help="the simulated time of a replay, ISO 8601; default: now")
    judged.set_defaults(run=printed(_off_policy))
    for name, text in _HELP.items():
        _add_change(actions.add_parser(name, help=text), name)


def _add_change(parser: argparse.ArgumentParser, name: str) -> None:
    parser.add_argument("model")
    needs_one = name in {"start", "retire"}
    parser.add_argument(
        "version",
        type=int,
        nargs=None if needs_one else "?",
        help=_VERSION.get(name, "default: the version of the running release"),
    )
    parser.add_argument("--why", required=True, help="the reason, for the history")
    if name == "start":
        parser.add_argument("--rung", choices=RUNGS, help="where it begins; default: the first that the definition has")
    parser.add_argument("--as-of", help="the simulated time of a replay, ISO 8601; default: now")
    parser.set_defaults(run=printed(_change))


def _show(arguments: argparse.Namespace) -> Any:
    return system_of(arguments).release_story(arguments.model, arguments.version)


def _off_policy(arguments: argparse.Namespace) -> Any:
    names = ("model", "version", "days", "as_of")
    document = {name: getattr(arguments, name) for name in names if getattr(arguments, name) is not None}
    return system_of(arguments).invoke("ShadowFunction", {**document, "action": OFF_POLICY}, "the off-policy judgement")


def _change(arguments: argparse.Namespace) -> Any:
    names = ("model", "action", "version", "rung", "why", "as_of")
    document = {name: getattr(arguments, name, None) for name in names}
    sent = {name: value for name, value in document.items() if value is not None}
    return system_of(arguments).release({**sent, "who": getpass.getuser()})
