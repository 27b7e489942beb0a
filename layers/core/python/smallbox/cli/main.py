"""`smallbox`: one command, each subcommand a module of this package with ``register(subparsers)``."""

import argparse
import importlib
import os
import signal
import sys
from collections.abc import Sequence
from typing import Final, NoReturn

from smallbox.errors import SmallboxError

MODULES: Final = ("up", "contract", "data", "quarantine", "models", "wait", "replay.command", "demo.command", "deploy")
"""The modules that hold commands, in the order of the help. Each ``register`` adds parsers and sets ``run``."""

_INTERRUPTED: Final = 130


def parser() -> argparse.ArgumentParser:
    """The command line of all commands."""
    root = argparse.ArgumentParser(prog="smallbox", description="Everything around the model in an ML system.")
    subparsers = root.add_subparsers(title="commands", required=True, metavar="command")
    for name in MODULES:
        importlib.import_module(f"smallbox.cli.{name}").register(subparsers)
    return root


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command: 0 when it worked, 1 and one line of why when it did not.

    ``run`` of a command takes the parsed arguments; it returns an exit code, or ``None`` when it worked.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    parsed = parser().parse_args(arguments)
    try:
        return parsed.run(parsed) or 0
    except SmallboxError as error:
        sys.stderr.write(f"smallbox: {error.message}\n")
        return 1
    except BrokenPipeError:  # whoever read, like `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        sys.stderr.write("smallbox: interrupted\n")
        return _INTERRUPTED


def _interrupt(_number: int, _frame: object) -> NoReturn:
    """A polite kill cleans up as Ctrl-C does."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
