"""Progress of long-running work on standard error; shown only on a terminal."""

import argparse
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from smallbox.cli.system import System

Tell = Callable[[str], None]

_ASK_SECONDS: Final = 0.5
_LATEST_EVENTS: Final = 20


@contextmanager
def progress(arguments: argparse.Namespace, text: str) -> Iterator[Tell]:
    """Show a spinner and the elapsed time during a block; call the yielded function to name the current step.

    Shows nothing with ``--json``, or if standard error is not a terminal.
    """
    if not _is_watched(arguments):
        yield lambda _: None
        return
    from rich.console import Console  # noqa: PLC0415 - only needed on a terminal
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(text, total=None)
        yield lambda step: shown.update(task, description=f"{text}: {step}")


@contextmanager
def machine_progress(arguments: argparse.Namespace, system: System, text: str) -> Iterator[None]:
    """Like :func:`progress`, for a block that runs a state machine: the step is the machine's current state."""
    with progress(arguments, text) as tell:
        if not _is_watched(arguments):
            yield
            return
        ended = threading.Event()
        system.on_start = lambda arn: threading.Thread(
            target=_watch, args=(system, arn, tell, ended), daemon=True
        ).start()
        try:
            yield
        finally:
            ended.set()


def _is_watched(arguments: argparse.Namespace) -> bool:
    return not getattr(arguments, "json", False) and sys.stderr.isatty()


def _watch(system: System, arn: str, tell: Tell, ended: threading.Event) -> None:
    client = system.client("stepfunctions")
    while not ended.wait(_ASK_SECONDS):
        try:
            answer = client.get_execution_history(
                executionArn=arn, reverseOrder=True, maxResults=_LATEST_EVENTS, includeExecutionData=False
            )
        except Exception:  # noqa: BLE001 - the code that waits for the execution reports the error
            return
        step = step_in(answer["events"])
        if step:
            tell(step)


def step_in(events: Sequence[Any]) -> str:
    """The last entered state of an execution, from its events, newest first.

    >>> step_in([{"type": "TaskScheduled"}, {"stateEnteredEventDetails": {"name": "Fit"}}])
    'fit'
    """
    names = (event["stateEnteredEventDetails"]["name"] for event in events if "stateEnteredEventDetails" in event)
    return next(names, "").lower()
