"""Entry point of `smallbox`; each subcommand is a module of this package with ``register(subparsers)``."""

import argparse
import importlib
import os
import signal
import sys
from collections.abc import Sequence
from typing import Final, NoReturn

from smallbox.cli.aws_errors import in_words, said_by_aws
from smallbox.cli.contexts import ON, context_of
from smallbox.cli.output import write_json
from smallbox.error_codes import error_body
from smallbox.errors import SmallboxError

MODULES: Final = (
    "check",
    "up",
    "status",
    "proxy",
    "contract",
    "data",
    "wait",
    "quarantine",
    "models",
    "release",
    "experiment",
    "monitoring",
    "incidents",
    "replay.command",
    "demo.command",
    "drills.command",
    "deploy",
    "context",
)
"""The command modules, in the order of the help. Their ``register`` adds parsers and sets ``run``."""

_INTERRUPTED: Final = 130


def parser() -> argparse.ArgumentParser:
    """The argument parser with all commands."""
    root = argparse.ArgumentParser(prog="smallbox", description="Everything around the model in an ML system.")
    subparsers = root.add_subparsers(title="commands", required=True, metavar="command")
    for name in MODULES:
        importlib.import_module(f"smallbox.cli.{name}").register(subparsers)
    _add_shared(root, json=False, on=None)
    return root


def _add_shared(parser: argparse.ArgumentParser, json: object, on: object) -> None:
    """Accept options before or after the command; subparsers suppress their defaults, which keeps the root's."""
    parser.add_argument("--json", action="store_true", default=json, help="print JSON, for programs")
    parser.add_argument(
        "--on",
        default=on,
        metavar="CONTEXT",
        help=f"the system to speak to: local, a saved context, or PROFILE/REGION; default: {ON}, else `context use`",
    )
    for action in parser._actions:  # noqa: SLF001 - argparse has no public access to subparsers
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            for below in set(action.choices.values()):
                _add_shared(below, argparse.SUPPRESS, argparse.SUPPRESS)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return the exit code: 0 success, 1 failure (reason on standard error), 2 wrong usage.

    ``run`` of a command takes the parsed arguments and returns an exit code, or ``None`` for success.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    parsed = parser().parse_args(arguments)
    try:
        return parsed.run(parsed) or 0
    except BrokenPipeError:  # the reader, like `head`, closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        sys.stderr.write("smallbox: interrupted\n")
        return _INTERRUPTED
    except Exception as error:
        failure = _in_words(error, parsed)
        if failure is None:
            raise
        return _failed(failure, as_json=parsed.json)


def _in_words(error: Exception, parsed: argparse.Namespace) -> SmallboxError | None:
    """What to say of an error: what AWS said, in words, or our own sentence; ``None`` for a bug."""
    own = error if isinstance(error, SmallboxError) else None
    if said_by_aws(error) is None:
        return own
    return in_words(error, context_of(parsed)) or own


def _failed(error: SmallboxError, *, as_json: bool) -> int:
    """Print the reason to standard error, and with ``--json`` the error document to standard output."""
    sys.stderr.write(f"smallbox: {error.message}\n")
    if as_json:
        write_json(error_body(error), sys.stdout)
    return 1


def _interrupt(_number: int, _frame: object) -> NoReturn:
    """SIGTERM cleans up like Ctrl-C."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
