"""What long work is doing now, on standard error: for people who wait at a terminal, and for nobody else."""

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
    """A spinner with the time that has passed, for the time of a block; its value names the step that runs.

    It shows nothing with ``--json``, or when standard error is no terminal.
    """
    if not _is_watched(arguments):
        yield lambda _: None
        return
    from rich.console import Console  # noqa: PLC0415 - only who watches needs it
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(text, total=None)
        yield lambda step: shown.update(task, description=f"{text}: {step}")


@contextmanager
def machine_progress(arguments: argparse.Namespace, system: System, text: str) -> Iterator[None]:
    """The same for the state machine that the block runs: the step is the state that it is in."""
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
        except Exception:  # noqa: BLE001 - who waits for the execution itself says what is wrong
            return
        step = step_in(answer["events"])
        if step:
            tell(step)


def step_in(events: Sequence[Any]) -> str:
    """The state that was entered last, of an execution's events, the newest first.

    >>> step_in([{"type": "TaskScheduled"}, {"stateEnteredEventDetails": {"name": "Fit"}}])
    'fit'
    """
    names = (event["stateEnteredEventDetails"]["name"] for event in events if "stateEnteredEventDetails" in event)
    return next(names, "").lower()
