"""What a long command says while it works: on standard error, so that its result can be read alone."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

Moved = Callable[[float, str], None]


class Progress:
    """Lines, and on a terminal bars.

    Args:
        is_quiet: whether it says nothing, to a program that wants the result alone.
    """

    def __init__(self, *, is_quiet: bool = False) -> None:
        self._console = Console(stderr=True, quiet=is_quiet)

    def say(self, line: str) -> None:
        """Write a line; ``[bold]`` and its kin are markup."""
        self._console.print(line, highlight=False, soft_wrap=True)

    @contextmanager
    def bar(self, what: str, total: float) -> Iterator[Moved]:
        """A bar for the time of a block; call what it yields with how much is done and what to write beside it."""
        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
        with Bars(*columns, console=self._console) as bars:
            task = bars.add_task(what, total=total)
            yield lambda done, said: bars.update(task, completed=done, description=said)
