"""``smallbox send`` and ``drop`` (load records); ``rebuild``, ``backfill`` and ``upkeep`` (maintain the stores)."""

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from smallbox.cli.connect import system_of
from smallbox.cli.output import json_lines, printed
from smallbox.cli.progress import machine_progress, progress
from smallbox.cli.system import FEATURE_QUEUES, System
from smallbox.define import project
from smallbox.errors import InvalidInput, NotFound, Unavailable

_LEAST_SECONDS: Final = 120
_BYTES_A_SECOND: Final = 200_000
"""Less than the speed of any load; the timeout of a drop grows with the file at this rate."""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands."""
    sender = commands.add_parser("send", help="send records over HTTPS; JSON lines from a file or standard input")
    sender.add_argument("source")
    sender.add_argument("file", nargs="?", type=Path, help="JSON lines; default: standard input")
    sender.add_argument("--as-of", help="the simulated time of a replay, ISO 8601; default: now")
    sender.set_defaults(run=printed(_send))
    rebuilder = commands.add_parser("rebuild", help="recompute the online states of a source's views from the lake")
    rebuilder.add_argument("source")
    rebuilder.add_argument("--as-of", help="the simulated time of a replay, ISO 8601; default: now")
    rebuilder.set_defaults(run=printed(_rebuild))
    backfiller = commands.add_parser(
        "backfill", help="compute the history of new and changed views, or of the named views"
    )
    backfiller.add_argument("view", nargs="*")
    backfiller.add_argument("--as-of", help="the simulated time of a replay, ISO 8601; default: now")
    backfiller.set_defaults(run=printed(_backfill))
    keeper = commands.add_parser("upkeep", help="maintain the lake: update the `current` tables, compact and vacuum")
    keeper.add_argument("--as-of", help="the simulated time of a replay, ISO 8601; default: now")
    keeper.set_defaults(run=printed(_upkeep))
    dropper = commands.add_parser("drop", help="load a CSV, Parquet or JSON-lines file through the inbox")
    dropper.add_argument("source")
    dropper.add_argument("file", type=Path)
    dropper.add_argument("--as-of", help="the simulated time of a replay, ISO 8601; default: now")
    dropper.set_defaults(run=printed(_drop))


def _rebuild(arguments: argparse.Namespace) -> Any:
    project.load().source(arguments.source)
    with progress(arguments, f"rebuild of {arguments.source}"):
        system_of(arguments).rebuild(arguments.source, arguments.as_of)
    return {"rebuilt": arguments.source}


def _backfill(arguments: argparse.Namespace) -> Any:
    document = {"views": arguments.view} if arguments.view else {}
    if arguments.as_of:
        document["as_of"] = arguments.as_of
    system = system_of(arguments)
    with machine_progress(arguments, system, "backfill"):
        return system.run("BackfillMachine", document)


def _upkeep(arguments: argparse.Namespace) -> Any:
    with progress(arguments, "upkeep of the lake"):
        return system_of(arguments).upkeep(arguments.as_of)


def _send(arguments: argparse.Namespace) -> Any:
    text = sys.stdin.read() if arguments.file is None else existing(arguments.file).read_text()
    lines = json_lines(text, str(arguments.file or "standard input"))
    return system_of(arguments).send(arguments.source, lines, arguments.as_of)


def _drop(arguments: argparse.Namespace) -> Any:
    system, file = system_of(arguments), existing(arguments.file)
    with progress(arguments, f"drop of {file.name}") as tell:
        return drop(system, arguments.source, file, arguments.as_of, tell)


def drop(
    system: System, source: str, file: Path, as_of: str | None = None, tell: Callable[[str], None] = lambda _: None
) -> Any:
    """Drop a file, wait until it is loaded and the online store is up to date; return the loader's report.

    Args:
        system: the running system.
        source: the source of the file's records.
        file: CSV, Parquet or JSON lines.
        as_of: the simulated time of a replay, ISO 8601; default: now.
        tell: called with the name of each step.
    """
    folder = "" if as_of is None else f"as_of={as_of}/"
    key = f"drop/{source}/{folder}{time.time_ns()}-{file.name}"
    tell("upload")
    system.upload(key, file)
    tell("load")
    seconds = _LEAST_SECONDS + file.stat().st_size / _BYTES_A_SECOND
    report = read_report(system.wait_for_object("LakeBucket", f"reports/{key}.json", seconds))
    tell("online store")
    return {**report, **caught_up(system, "loaded")}


def caught_up(system: System, what: str) -> dict[str, str]:
    """Wait until the online store has all records sent; a warning instead of an error on a timeout."""
    try:
        system.drain(FEATURE_QUEUES)
    except Unavailable as error:
        return {"warning": f"{what}, but the online store may be behind: {error.message}"}
    return {}


def read_report(content: bytes) -> Any:
    """Parse the report of a dropped file.

    Raises:
        InvalidInput: if the file was refused; gives the reason.
    """
    report = json.loads(content)
    if "error" in report:
        raise InvalidInput(report["error"]["message"], **report["error"]["details"])
    return report


def existing(file: Path) -> Path:
    """The file; raises :class:`NotFound` if it does not exist."""
    if not file.is_file():
        raise NotFound(f"there is no file {str(file)!r}", file=str(file))
    return file
