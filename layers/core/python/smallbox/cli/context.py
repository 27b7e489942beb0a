"""``smallbox context``: the saved contexts, which say where commands speak to."""

import argparse
from typing import Any

from smallbox.cli.contexts import (
    LOCAL,
    ON,
    PIPELINE_STACK,
    STORES_STACK,
    Context,
    SavedContexts,
    chosen,
    contexts_file,
    save_contexts,
    saved_contexts,
)
from smallbox.cli.output import printed


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    root = commands.add_parser("context", help="the systems that commands can speak to, each by a name for --on")
    verbs = root.add_subparsers(title="verbs", required=True, metavar="verb")
    adder = verbs.add_parser("add", help="save a context, or change it")
    adder.add_argument("name")
    adder.add_argument(
        "--profile", default="", help="the AWS profile; default: credentials of the environment or of this machine"
    )
    adder.add_argument("--region", default="", help="the AWS region; default: that of the profile")
    adder.add_argument(
        "--stacks",
        nargs=2,
        default=(STORES_STACK, PIPELINE_STACK),
        metavar=("STORES", "PIPELINE"),
        help=f"the names of its CloudFormation stacks; default: {STORES_STACK} {PIPELINE_STACK}",
    )
    adder.set_defaults(run=printed(_add))
    verbs.add_parser("list", help="show the contexts, and which one is used").set_defaults(run=printed(_list))
    user = verbs.add_parser("use", help=f"set the context of commands without --on and without {ON}")
    user.add_argument("name")
    user.set_defaults(run=printed(_use))
    remover = verbs.add_parser("remove", help="forget a context; nothing that is deployed is touched")
    remover.add_argument("name")
    remover.set_defaults(run=printed(_remove))


def _add(arguments: argparse.Namespace) -> Any:
    stores, pipeline = arguments.stacks
    context = Context(arguments.name, arguments.profile, arguments.region, (stores, pipeline))
    return _saved(saved_contexts().adding(context))


def _list(arguments: argparse.Namespace) -> Any:
    return _document(saved_contexts(), used=chosen(arguments.on).name)


def _use(arguments: argparse.Namespace) -> Any:
    return _saved(saved_contexts().using(arguments.name))


def _remove(arguments: argparse.Namespace) -> Any:
    return _saved(saved_contexts().without(arguments.name))


def _saved(contexts: SavedContexts) -> Any:
    save_contexts(contexts)
    return _document(contexts, used=contexts.default)


def _document(saved: SavedContexts, used: str) -> Any:
    contexts = [
        {"name": one.name, "used": one.name == used, "profile": one.profile, "region": one.region, "stacks": one.stacks}
        for one in (LOCAL, *saved.contexts.values())
    ]
    return {"contexts": contexts, "used": used, "file": str(contexts_file())}
