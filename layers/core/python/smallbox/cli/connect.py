"""From the arguments of a command to the system that it speaks to."""

import argparse

from smallbox.cli import local
from smallbox.cli.contexts import Context, context_of
from smallbox.cli.stack import Stack
from smallbox.cli.system import System


def stack_on(context: Context) -> Stack:
    """The stack of a context.

    Raises:
        NotReady: if it is the local one, and none is running.
    """
    return local.stack() if context.is_local else Stack.of(context)


def system_of(arguments: argparse.Namespace) -> System:
    """The system that a command speaks to."""
    return System(stack_on(context_of(arguments)))
