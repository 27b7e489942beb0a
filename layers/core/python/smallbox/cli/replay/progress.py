"""Progress of a long command, on standard error, so that standard output has only the result."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

Moved = Callable[[float, str], None]


class Progress:
    """Prints lines, and on a terminal progress bars.

    Args:
        is_quiet: print nothing, for ``--json``.
    """

    def __init__(self, *, is_quiet: bool = False) -> None:
        self._console = Console(stderr=True, quiet=is_quiet)

    def say(self, line: str) -> None:
        """Print a line; rich markup like ``[bold]`` is interpreted."""
        self._console.print(line, highlight=False, soft_wrap=True)

    @contextmanager
    def bar(self, what: str, total: float) -> Iterator[Moved]:
        """Show a bar during a block; call the yielded function with the amount done and a description."""
        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
        with Bars(*columns, console=self._console) as bars:
            task = bars.add_task(what, total=total)
            yield lambda done, said: bars.update(task, completed=done, description=said)
